// Whatever comes in: a typed error, or scores that are numbers, in both scorings, with every option of verdicts.
import fc from 'fast-check'
import t from 'tap'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { findChangepoints } from '../../verdicts/changepoints.ts'
import { type Detection } from '../../scoring/detection.ts'
import { Detector, detectCausal } from '../../detector/detector.ts'
import { driftVerdict } from '../../verdicts/drift.ts'
import { Problem } from '../../errors.ts'
import { detectBatch } from '../../detector/hindsight.ts'
import { observation, type Series, timeOf } from '../../series/series.ts'
import { expectedFalseAlarmsPerDay, thresholdForBudget, thresholdForSensitivity } from '../../scoring/tail.ts'

const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, -1, 7) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 1e300, -1e300, 1e-300, Number.MIN_VALUE, -0) },
  { weight: 1, arbitrary: fc.double() })

/** A few values over and over, so that constant, switching and regular channels are among them. */
const wildSeries = fc.record({
  length: fc.integer({ min: 1, max: 220 }),
  channels: fc.integer({ min: 1, max: 4 }),
  start: fc.constantFrom(0, -86_400_007, Date.UTC(2026, 0, 1)),
  interval: fc.constantFrom(1, 1000, 600_000),
  pattern: fc.array(value, { minLength: 1, maxLength: 97 }),
}).map(({ length, channels, start, interval, pattern }): Series => ({
  channels: Array.from({ length: channels }, (_, c) => `channel ${c}`),
  start,
  interval,
  length,
  values: Float64Array.from({ length: length * channels }, (_, i) => pattern[i % pattern.length]!),
}))

function sound ({ score, contributions, expected }: Detection, channels: number): boolean {
  return score.every((one, t) => {
    const parts = contributions.subarray(t * channels, (t + 1) * channels)
    const values = expected.subarray(t * channels, (t + 1) * channels)
    if (Number.isNaN(one)) return parts.every(Number.isNaN)
    return Number.isFinite(one) && one >= 0 && parts.every((part) => part >= 0 && part <= 1) &&
      values.every(Number.isFinite)
  })
}

t.test('any series is fitted and scored, or refused with a Problem', { timeout: 120_000 }, async (t) => {
  let scored = 0
  await fc.assert(
    fc.asyncProperty(wildSeries, wildSeries, async (series, other) => {
      const fitted = await fitAdHoc(series).catch((error: unknown) => {
        if (error instanceof Problem) return undefined
        throw error
      })
      if (fitted === undefined) return true
      scored++
      const { model, autoencoders } = fitted
      const channels = series.channels.length
      const same = other.channels.length === channels ? other : series
      const batch = detectBatch(model, autoencoders, same)
      const causal = detectCausal(model, autoencoders, same)
      const stream = new Detector(model, autoencoders)
      const streamed = Array.from({ length: same.length }, (_, i) =>
        stream.observe({ time: timeOf(same, i), values: observation(same, i) }).score ?? NaN)
      const thresholds = [0, 0.3, 0.5, 1].map((sensitivity) => thresholdForSensitivity(model.batch.scores, sensitivity))
      return sound(batch, channels) && sound(causal, channels) && streamed.every((score, i) =>
        Object.is(score, causal.score[i])
      ) &&
        thresholds.every((threshold, i) =>
          threshold > 0 && Number.isFinite(threshold) && (i === 0 || threshold <= thresholds[i - 1]!)
        ) &&
        Number.isFinite(
          expectedFalseAlarmsPerDay(
            model.causal.scores,
            thresholdForBudget(model.causal.scores, 0.14, model.interval),
            model.interval
          )
        ) &&
        Number.isFinite(driftVerdict(model.batch.scores, batch.score).statistic) &&
        findChangepoints(same, model.scaler).every(({ confidence }) => confidence >= 0 && confidence <= 1)
    }),
    { numRuns: 150 }
  )
  t.ok(scored > 40, `${scored} of 150 were scored`)
})
