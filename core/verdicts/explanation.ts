// Why an anomaly is one: its kind, and one plain sentence.
import type { DetectorModel } from '../detector/model.ts'
import { evidenceOf } from '../evidence/model.ts'
import type { ChannelEvidence, Thresholds } from '../evidence/model.ts'
import { residualAt } from '../evidence/residuals.ts'
import { phaseOf } from '../evidence/season.ts'
import type { Detection, Scoring } from '../scoring/detection.ts'
import { type Series, timeOf } from '../series/series.ts'
import {
  type Account,
  accountOf,
  type AnomalousRow,
  type ChannelAccount,
  joinAccounts,
  type UsualRange,
  usualRanges,
} from './account.ts'
import { type Anomaly, type AnomalyRules, findAnomalies, thresholdVerdicts } from './anomalies.ts'
import { type Kind, kindOf } from './kinds.ts'
import { sentenceOf } from './sentence.ts'
import { ANOMALOUS } from './verdicts.ts'

/** Why an anomaly is one. */
interface Explanation {
  readonly kind: Kind
  /** One line of at most 140 characters that names the channel. */
  readonly message: string
}

/** Another channel explains this one if it has this share of all weights. */
const PARTNER_SHARE = 0.5

interface ExplainerOptions {
  readonly scoring: Scoring
  /** Whether times are made up: then durations are numbers of observations. */
  readonly numbered?: boolean
}

/** Explains anomalies of one model, of complete series or row by row. */
export class Explainer {
  readonly #model: DetectorModel
  readonly #options: ExplainerOptions
  #ranges: ReadonlyArray<UsualRange | undefined> | undefined

  constructor (model: DetectorModel, options: ExplainerOptions) {
    this.#model = model
    this.#options = options
  }

  /** Takes an anomalous row into an account. @param account of the rows before */
  add (account: Account, row: AnomalousRow): Account {
    this.#ranges ??= usualRanges(this.#model, this.#options.scoring)
    return joinAccounts(account, accountOf(row, this.#ranges))
  }

  /** Kind of the evidence of a single row. @param account of this row alone */
  kindOf ([entry]: Account): Kind {
    return this.#kindOf(entry!)
  }

  /**
   * Explains an anomaly from the account of its rows.
   * @param first the channel to name
   * @param length observations from the first to the last row
   */
  explain (account: Account, first: number, length: number): Explanation {
    const entry = account.find(({ channel }) => channel === first)
    const channel = this.#model.channels[first]!
    const { interval } = this.#model
    const { scoring, numbered = false } = this.#options
    const evidence = this.#evidence[first]!
    if (entry === undefined) {
      return { kind: 'pattern', message: sentenceOf({ kind: 'pattern', channel, length, interval, numbered }) }
    }
    const kind = this.#kindOf(entry)
    const message = sentenceOf({
      kind,
      channel,
      length,
      interval,
      numbered,
      account: entry,
      margin: marginOf(evidence, entry, interval),
      period: evidence.baseline.period,
      constant: evidence.constant,
      stillness: evidence.stillness,
      partner: kind === 'relation' ? this.#partnerOf(first) : undefined,
      delay: scoring === 'causal' ? Math.floor(evidence.stillness?.frozenAfter ?? 0) : 0,
    })
    return { kind, message }
  }

  #kindOf (entry: ChannelAccount): Kind {
    const { baseline: { period } } = this.#evidence[entry.channel]!
    return kindOf(entry, { period, interval: this.#model.interval })
  }

  get #evidence (): readonly ChannelEvidence[] {
    return this.#model.evidence[this.#options.scoring]!.channels
  }

  /** The channel that tells most about this one, if one does. */
  #partnerOf (channel: number): string | undefined {
    const { related } = this.#model.evidence[this.#options.scoring]!
    const sizes = this.#evidence[channel]!.relation?.prediction.weights.map(Math.abs) ?? []
    const most = sizes.indexOf(Math.max(...sizes))
    const sum = sizes.reduce((total, size) => total + size, 0)
    return sizes[most]! > PARTNER_SHARE * sum ? this.#model.channels[related[most]!] : undefined
  }
}

/** An anomaly, and why it is one. */
export interface ExplainedAnomaly extends Anomaly, Explanation {}

interface ExplainOptions extends ExplainerOptions {
  /** Default: those of findAnomalies(). */
  readonly rules?: AnomalyRules
  /** The result of judge(), shape [length]; default: score > 1. */
  readonly verdicts?: Int8Array
}

/**
 * The anomalies of a complete series, each with its kind and a sentence.
 * @param detection of this series by this model
 * @example
 * const a = Array.from({ length: 60 }, (_, t) => t === 30 ? 9 : Math.sin(t * t))
 * const series = fromColumns({ start: 0, interval: 1000, columns: { a } })
 * const { model, autoencoders } = await fitAdHoc(series)
 * explainAnomalies(series, detectBatch(model, autoencoders, series), model, { scoring: 'batch' })[0].kind // 'spike'
 */
export function explainAnomalies (
  series: Series,
  detection: Detection,
  model: DetectorModel,
  { rules, verdicts = thresholdVerdicts(detection.score), ...options }: ExplainOptions
): ExplainedAnomaly[] {
  const explainer = new Explainer(model, options)
  const width = series.channels.length
  return findAnomalies(detection, rules, verdicts).map((anomaly) => {
    const { from, to, channels } = anomaly
    let account: Account = []
    for (let t = from; t <= to; t++) {
      if (verdicts[t] !== ANOMALOUS) continue
      account = explainer.add(account, {
        time: timeOf(series, t),
        score: detection.score[t]!,
        evidence: detection.evidence[t]!,
        contributions: detection.contributions.subarray(t * width, (t + 1) * width),
        values: series.values.subarray(t * width, (t + 1) * width),
        expected: detection.expected.subarray(t * width, (t + 1) * width),
      })
    }
    return { ...anomaly, ...explainer.explain(account, channels[0]!.channel, to - from + 1) }
  })
}

/** What usually lies between a value and the expected one, in the channel's unit; NaN if it is not known. */
function marginOf (channel: ChannelEvidence, { top }: ChannelAccount, interval: number): number {
  const { kind, view } = evidenceOf(top.evidence)
  const thresholds: Thresholds | null | undefined = view === 'season' ? channel.season : channel[view]?.thresholds
  if (thresholds == null || top.expected === null) return NaN
  const threshold = kind === 'mean'
    ? Math.min(...thresholds.mean.filter((mean) => mean !== null))
    : thresholds.point
  const { baseline: { base, period, profile } } = channel
  const index = Math.floor(top.time / interval)
  // The level at which the usual value of this phase is the expected one.
  const usual = base + profile[phaseOf(index, period)]!
  const level = usual > 0 ? base * top.expected / usual : base
  return threshold * residualAt(channel, index, top.expected, level).unit
}
