// The detection metrics, pure functions over plain arrays, gathered from core/metrics/. Knows no files and no detector.
export { addConfusions, type Confusion, confusion, type PointScores, pointScores } from './confusion.ts'
export { type DetectionDelays, detectionDelays, type LabelFinding, type TimeInterval } from './delays.ts'
export { type NabScore, nabScore, nabScoreAt, type NabSeries } from './nab.ts'
export { autocorrelationPeriod } from './period.ts'
export { rangeF1, type RangeScores } from './range.ts'
export { averagePrecision, bestF1 } from './ranking.ts'
export { type Flags } from './runs.ts'
export { type Volumes, volumesUnderSurface, vusPr, vusRoc } from './vus.ts'
