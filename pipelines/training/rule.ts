// The rule of promotion (decision 0020) decides whether a new model replaces the served one, with a reason for each
// clause. Pure: knows no registry and no files.

/** The result of one scoring on the held-back part. */
export interface Judged {
  readonly found: number
  readonly faults: number
  readonly falseAnomaliesPerSeriesWeek: number
  readonly f1: number | null
  readonly vusPr: number | null
}

/** A package with the results of both scorings. */
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
  /** `same`: the candidate is live already. */
  readonly verdict: 'promote' | 'keep' | 'same'
  readonly because: string
  /** The clauses in order; empty if there was nothing to compare. */
  readonly clauses: readonly Clause[]
}

/** Additional false anomalies per series and week that are accepted: one in ten series-weeks. */
export const SLACK = 0.1

const SCORINGS = ['batch', 'causal'] as const

/**
 * A better figure of the candidate never turns a promotion into a refusal, and a worse one never the reverse.
 * @param live undefined if nothing is live
 * @param rolledBack whether somebody has rolled this candidate back
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
    because: each((scoring) => {
      const [now, before] = [candidate, live].map((judged) => short(judged[scoring].falseAnomaliesPerSeriesWeek))
      return `${now} false anomalies per series and week instead of ${before}`
    }),
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

const each = (textOf: (scoring: typeof SCORINGS[number]) => string): string =>
  `${SCORINGS.map((scoring) => `${textOf(scoring)} (${scoring})`).join(', ')}.`

/** At most three decimals. */
export const short = (value: number): string => String(Number(value.toFixed(3)))
