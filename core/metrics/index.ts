// The detection metrics: pure functions over plain arrays. Know no files and no detector.
export { addConfusions, type Confusion, confusion, pointScores } from './confusion.ts'
export { detectionDelays, type LabelFinding, type TimeInterval } from './delays.ts'
export { type NabProfile, nabScore, nabScoreAt, type NabSeries } from './nab.ts'
export { autocorrelationPeriod } from './period.ts'
export { rangeF1 } from './range.ts'
export { averagePrecision, bestF1 } from './ranking.ts'
export { volumesUnderSurface, vusPr, vusRoc } from './vus.ts'
