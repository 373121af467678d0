// The detection metrics, pure functions over plain arrays, gathered from core/metrics/. Knows no files and no detector.
export { addConfusions, type Confusion, confusion, type PointScores, pointScores } from './metrics/confusion.ts'
export { type DetectionDelays, detectionDelays, type LabelFinding, type TimeInterval } from './metrics/delays.ts'
export { type NabScore, nabScore, nabScoreAt, type NabSeries } from './metrics/nab.ts'
export { autocorrelationPeriod } from './metrics/period.ts'
export { rangeF1, type RangeScores } from './metrics/range.ts'
export { averagePrecision, bestF1 } from './metrics/ranking.ts'
export { type Flags } from './metrics/runs.ts'
export { type Volumes, volumesUnderSurface, vusPr, vusRoc } from './metrics/vus.ts'
