// The detection delay of each labelled interval, and the anomalies without a label. Knows times, not observations.

/** First and last instant, both inclusive, milliseconds since the epoch; start ≤ end. */
export interface TimeInterval {
  readonly start: number
  readonly end: number
}

/** Whether one labelled interval was found, and how late. */
export interface LabelFinding<Label extends TimeInterval = TimeInterval> {
  readonly label: Label
  readonly found: boolean
  /** Milliseconds from the label's start to the first overlap, 0 if the anomaly began before; null if not found. */
  readonly delayMs: number | null
}

/** Findings in the order of the labels, and the anomalies that overlap no label. */
interface DetectionDelays<
  Label extends TimeInterval = TimeInterval,
  Anomaly extends TimeInterval = TimeInterval
> {
  readonly findings: ReadonlyArray<LabelFinding<Label>>
  readonly falseAnomalies: readonly Anomaly[]
}

/**
 * Detection delay of every labelled interval: min over the anomalies that overlap it of max(0, anomaly start − label
 * start). An anomaly overlaps a label if they share an instant; the tolerance extends the label's end. An anomaly may
 * overlap several labels. Edge cases: no labels → no findings, every anomaly false; no anomalies → nothing found. The
 * order is kept, and neither list must be sorted.
 * @param labels labelled intervals, truth
 * @param anomalies detected intervals
 * @param options `toleranceMs`: how long after a label's end an anomaly may still begin, milliseconds, default 0
 * @returns delays in milliseconds
 * @example
 * detectionDelays([{ start: 1000, end: 5000 }], [{ start: 3000, end: 9000 }])
 * // { findings: [{ label: { start: 1000, end: 5000 }, found: true, delayMs: 2000 }], falseAnomalies: [] }
 */
export function detectionDelays<Label extends TimeInterval, Anomaly extends TimeInterval> (
  labels: readonly Label[],
  anomalies: readonly Anomaly[],
  { toleranceMs = 0 }: { readonly toleranceMs?: number } = {}
): DetectionDelays<Label, Anomaly> {
  const answers = new Set<Anomaly>()
  const findings = labels.map((label) => {
    let delayMs: number | null = null
    for (const anomaly of anomalies) {
      if (anomaly.start > label.end + toleranceMs || anomaly.end < label.start) continue
      answers.add(anomaly)
      delayMs = Math.min(delayMs ?? Infinity, Math.max(0, anomaly.start - label.start))
    }
    return { label, found: delayMs !== null, delayMs }
  })
  return { findings, falseAnomalies: anomalies.filter((anomaly) => !answers.has(anomaly)) }
}
