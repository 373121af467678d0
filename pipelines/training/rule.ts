// The rule of promotion (decision 0020): when a newly trained model replaces the one that is served, with a reason for
// each clause. Pure: knows no registry and no files.

/** What one scoring finds in the held-back part. */
export interface Judged {
  readonly found: number
  readonly faults: number
  readonly falseAnomaliesPerSeriesWeek: number
  readonly f1: number | null
  readonly vusPr: number | null
}

/** A package with what each scoring of it comes to. */
export interface JudgedPackage {
  readonly digest: string
  readonly batch: Judged
  readonly causal: Judged
}

interface Clause {
  readonly says: string
  readonly holds: boolean
  readonly because: string
}

interface Decision {
  /** `same`: it is live already. */
  readonly verdict: 'promote' | 'keep' | 'same'
  readonly because: string
  /** What was looked at, in this order; empty where there was nothing to compare. */
  readonly clauses: readonly Clause[]
}

/** So many false anomalies more, per series and week, are no reason to refuse: one in ten series-weeks. */
export const SLACK = 0.1

const SCORINGS = ['batch', 'causal'] as const

/**
 * No better figure of the candidate ever turns a promotion into a refusal, and no worse one a refusal into a promotion.
 * @param live undefined where nothing is live
 * @param rolledBack whether somebody took this very candidate back from being live
 */
export function decide (candidate: JudgedPackage, live: JudgedPackage | undefined, rolledBack = false): Decision {
  if (live?.digest === candidate.digest) {
    return { verdict: 'same', because: 'This very model is live already.', clauses: [] }
  }
  if (rolledBack) {
    return {
      verdict: 'keep',
      because: 'Somebody rolled this very model back; only somebody can promote it again.',
      clauses: [],
    }
  }
  if (live === undefined) return { verdict: 'promote', because: 'No model was live.', clauses: [] }
  const clauses = [
    isLabelled(candidate),
    findsAsMuch(candidate, live),
    alarmsNoMore(candidate, live),
    flagsAsWell(candidate, live),
    improves(candidate, live),
  ]
  const failed = clauses.filter(({ holds }) => !holds)
  if (failed.length > 0) return { verdict: 'keep', because: failed.map(({ because }) => because).join(' '), clauses }
  return { verdict: 'promote', because: clauses.at(-1)!.because, clauses }
}

function isLabelled ({ batch: { faults } }: JudgedPackage): Clause {
  return {
    says: 'There are labelled faults to judge by.',
    holds: faults > 0,
    because: faults > 0
      ? `There are ${faults}.`
      : 'There is no labelled fault in the held-back part, so nobody knows what either model misses.',
  }
}

function findsAsMuch (candidate: JudgedPackage, live: JudgedPackage): Clause {
  return {
    says: 'By either scoring, it finds no fewer labelled faults than the live model.',
    holds: SCORINGS.every((scoring) => candidate[scoring].found >= live[scoring].found),
    because: each((scoring) =>
      `${candidate[scoring].found} of ${candidate[scoring].faults} instead of ${live[scoring].found} are found`
    ),
  }
}

function alarmsNoMore (candidate: JudgedPackage, live: JudgedPackage): Clause {
  return {
    says: `By either scoring, it raises at most ${SLACK} false anomalies more per series and week.`,
    holds: SCORINGS.every((scoring) =>
      candidate[scoring].falseAnomaliesPerSeriesWeek <= live[scoring].falseAnomaliesPerSeriesWeek + SLACK
    ),
    because: each((scoring) =>
      `${short(candidate[scoring].falseAnomaliesPerSeriesWeek)} false anomalies per series and week instead of ${
        short(live[scoring].falseAnomaliesPerSeriesWeek)
      }`
    ),
  }
}

function flagsAsWell (candidate: JudgedPackage, live: JudgedPackage): Clause {
  const [mine, theirs] = [total(candidate, 'f1') / 2, total(live, 'f1') / 2]
  return {
    says: 'F1 by observation, the mean of both scorings, is no lower.',
    holds: mine >= theirs,
    because: `F1 is ${short(mine)} instead of ${short(theirs)}.`,
  }
}

function improves (candidate: JudgedPackage, live: JudgedPackage): Clause {
  const better = [
    ...(total(candidate, 'found') > total(live, 'found') ? ['more faults found'] : []),
    ...(total(candidate, 'falseAnomaliesPerSeriesWeek') < total(live, 'falseAnomaliesPerSeriesWeek')
      ? ['fewer false anomalies']
      : []),
    ...(total(candidate, 'f1') > total(live, 'f1') ? ['a higher F1'] : []),
    ...(total(candidate, 'vusPr') > total(live, 'vusPr') ? ['a higher VUS-PR'] : []),
  ]
  return {
    says: 'Over both scorings, something is better: faults found, false anomalies, F1 or VUS-PR.',
    holds: better.length > 0,
    because: better.length > 0
      ? `There is an improvement: ${better.join(', ')}.`
      : 'Nothing is better than with the live model.',
  }
}

const total = (judged: JudgedPackage, key: 'found' | 'falseAnomaliesPerSeriesWeek' | 'f1' | 'vusPr'): number =>
  SCORINGS.reduce((sum, scoring) => sum + (judged[scoring][key] ?? 0), 0)

const each = (say: (scoring: typeof SCORINGS[number]) => string): string =>
  `${SCORINGS.map((scoring) => `${say(scoring)} (${scoring})`).join(', ')}.`

/** As many digits as people compare. */
export const short = (value: number): string => String(Number(value.toFixed(3)))
