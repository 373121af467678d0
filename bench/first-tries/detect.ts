// Fits and runs the detector like a request without a model. All that the benchmarks of anomalies need of it is here.
import { fitAdHoc } from '../../core/fitting/ad-hoc.ts'
import { type Scoring } from '../../core/scoring/detection.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { type Series } from '../../core/series/series.ts'
import { explainAnomalies, type ExplainedAnomaly } from '../../core/verdicts/explanation.ts'

/** Rows of an anomaly, both ends included, and the names of its channels, the most to blame first. */
export interface Interval {
  readonly from: number
  readonly to: number
  readonly channels: readonly string[]
  readonly kind: string
}

interface Detected {
  /** Shape [length]; NaN where not scored. */
  readonly score: Float64Array
  readonly anomalies: readonly Interval[]
}

/** @param rows rows at the beginning that are named as normal; default: a robust fit on all rows */
export async function detect (series: Series, scoring: Scoring, rows?: number): Promise<Detected> {
  const { model, autoencoders } = await fitAdHoc(series, rows === undefined ? undefined : { rows })
  const run = scoring === 'batch' ? detectBatch : detectCausal
  const detection = run(model, autoencoders, series)
  const anomalies = explainAnomalies(series, detection, model, { scoring })
  return { score: detection.score, anomalies: anomalies.map((anomaly) => intervalOf(series, anomaly)) }
}

function intervalOf ({ channels }: Series, anomaly: ExplainedAnomaly): Interval {
  const { from, to, kind } = anomaly
  return { from, to, kind, channels: anomaly.channels.map(({ channel }) => channels[channel]!) }
}
