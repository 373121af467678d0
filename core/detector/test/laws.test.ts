// The laws of the whole detector, with every kind of evidence: causality, stream = batch, memory, gaps, contributions,
// and one threshold for all.
import fc from 'fast-check'
import t from 'tap'
import { evidenceWithHindsight } from '../../evidence/hindsight.ts'
import { PATTERN } from '../../evidence/model.ts'
import { rowsOf } from '../../evidence/rows.ts'
import { memoryOf } from '../../evidence/stream.ts'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { createRandom } from '../../random.ts'
import type { Detection } from '../../scoring/detection.ts'
import { patternCausal } from '../../scoring/pattern.ts'
import { patternBatch } from '../../scoring/pattern-hindsight.ts'
import { isAnomalous } from '../../scoring/threshold.ts'
import { fromColumns, observation, type Series, slice, timeOf } from '../../series/series.ts'
import { altered, scoresOf } from '../../test/synthetic.ts'
import { Detector, detectCausal } from '../detector.ts'
import { detectBatch } from '../hindsight.ts'
import { reachOf } from '../smears.ts'
import { all, FITTED, manyKinds, test, TRAINED } from './kinds.ts'

const CHANNELS = test.channels.length

/** Seen by the detector: spikes, steps, stuck and missing values at random places. */
const changed = (series: Series): fc.Arbitrary<Series> => fc.array(
  fc.record({
    at: fc.nat(series.length - 1),
    channel: fc.nat(CHANNELS - 1),
    what: fc.constantFrom('missing', 'spike', 'hold', 'gap'),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  { maxLength: 8 }
).map((changes) => altered(series, (values) => {
  for (const { at, channel, what, length } of changes) {
    for (let i = at; i < Math.min(series.length, at + length); i++) {
      const place = i * CHANNELS + channel
      if (what === 'gap') values.fill(NaN, i * CHANNELS, (i + 1) * CHANNELS)
      else if (what === 'missing') values[place] = NaN
      else values[place] = what === 'hold' ? values[at * CHANNELS + channel]! : values[place]! + 30
    }
  }
}))
const dirty = changed(test)

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]))

t.test('a fill value is told with what is usual, not with the rounding of its difference', async (t) => {
  const { normal } = createRandom('fill')
  const a = Float64Array.from({ length: 400 }, (_, i) => 10 + 5 * Math.sin(i / 4) + normal() / 5)
  for (const fill of [1e20, -3.4e38, 1e300]) {
    const b = Float64Array.from(a, (value, i) => i === 300 ? fill : value / 2 + normal() / 9)
    const series = fromColumns({ start: 0, interval: 60_000, columns: { a, b } })
    const { model, autoencoders } = await fitAdHoc(series, { rows: 200 })
    for (const { score, expected } of [
      detectBatch(model, autoencoders, series),
      detectCausal(model, autoencoders, series),
    ]) {
      t.ok(score[300]! > 1)
      t.ok(expected[601]! > 0 && expected[601]! < 10, `${fill}: expected ${expected[601]}`)
    }
  }
})

t.test('the models hold evidence of every kind', async (t) => {
  const { channels } = FITTED['autoencoders and evidence']!.model.evidence.causal!
  const holds = (name: string, has: (channel: typeof channels[0]) => boolean): unknown => t.ok(channels.some(has), name)
  holds('season', ({ baseline }) => baseline.period === 24)
  holds('level', ({ baseline }) => baseline.level > 0)
  holds('own', ({ own }) => own !== null)
  holds('relation', ({ relation }) => relation !== null)
  holds('stillness', ({ stillness }) => stillness !== null && stillness.quietAbove > 0)
  holds('constant', ({ constant }) => constant)
  holds('two values', ({ pair }) => pair !== null)
  holds('a cycle that was found in the data', ({ usual }) => usual > 0)
  t.same(FITTED['evidence alone']!.model.members, [])
  t.ok(FITTED['autoencoders and evidence']!.model.members.length > 2)
})

for (const [name, { model, autoencoders }] of Object.entries(FITTED)) {
  const detects = { causal: detectCausal, batch: detectBatch }

  t.test(`${name}: the causal verdicts of a prefix are a prefix of the causal verdicts`, async () => {
    fc.assert(fc.property(dirty, fc.nat(test.length), (series, length) => {
      const whole = detectCausal(model, autoencoders, series)
      const prefix = detectCausal(model, autoencoders, slice(series, 0, length))
      return same(prefix.score, whole.score.subarray(0, length)) &&
        same(prefix.expected, whole.expected.subarray(0, length * CHANNELS)) &&
        same(prefix.evidence, whole.evidence.subarray(0, length))
    }), { numRuns: 20 })
  })

  t.test(`${name}: a stream that is saved and restored anywhere gives the causal batch bit for bit`, async () => {
    fc.assert(fc.property(dirty, fc.nat(test.length - 1), fc.constantFrom(1, 1, 7, 150), (series, cut, together) => {
      const batch = detectCausal(model, autoencoders, series)
      const rows = Array.from({ length: series.length }, (_, i) =>
        ({ time: timeOf(series, i), values: observation(series, i) }))
      let stream = new Detector(model, autoencoders)
      const verdicts = rows.slice(0, cut).map((row) => stream.observe(row))
      stream = new Detector(model, autoencoders, structuredClone(stream.save()))
      for (let i = cut; i < rows.length; i += together) verdicts.push(...stream.observeAll(rows.slice(i, i + together)))
      const nothing = Array<number>(CHANNELS).fill(NaN)
      return verdicts.every(({ score, anomalous, contributions, expected, evidence, imputed }, i) => {
        const at = (values: Float64Array | Uint8Array): ArrayLike<number> =>
          values.subarray(i * CHANNELS, (i + 1) * CHANNELS)
        return same([score ?? NaN, evidence], [batch.score[i]!, batch.evidence[i]!]) &&
          anomalous === (score === null ? null : isAnomalous(score)) &&
          same(contributions ?? nothing, at(batch.contributions)) && same(expected ?? nothing, at(batch.expected)) &&
          same(imputed, at(batch.imputed))
      })
    }), { numRuns: 12 })
  })

  t.test(`${name}: contributions are not negative and sum to 1 wherever there is a score`, async () => {
    fc.assert(fc.property(dirty, fc.constantFrom('causal', 'batch'), (series, scoring) => {
      const { score, contributions, expected } = detects[scoring](model, autoencoders, series)
      return score.every((value, i) => {
        const parts = contributions.subarray(i * CHANNELS, (i + 1) * CHANNELS)
        if (Number.isNaN(value)) return parts.every(Number.isNaN)
        return value >= 0 && parts.every((part) => part >= 0) &&
          Math.abs(parts.reduce((sum, part) => sum + part, 0) - 1) < 1e-9 &&
          expected.subarray(i * CHANNELS, (i + 1) * CHANNELS).every(Number.isFinite)
      })
    }), { numRuns: 20 })
  })

  t.test(`${name}: an observation in a gap is not scored, and never normal`, async () => {
    fc.assert(fc.property(dirty, fc.constantFrom('causal', 'batch'), (series, scoring) => {
      const { score } = detects[scoring](model, autoencoders, series)
      const missingFor = new Float64Array(CHANNELS)
      return score.every((value, i) => {
        for (let c = 0; c < CHANNELS; c++) {
          missingFor[c] = Number.isNaN(series.values[i * CHANNELS + c]) ? missingFor[c]! + 1 : 0
        }
        return missingFor.every((count) => count <= model.maxGap) || Number.isNaN(value)
      })
    }), { numRuns: 20 })
  })

  t.test(`${name}: the score is above 1 exactly where evidence of a channel or of the pattern passes`, async () => {
    fc.assert(fc.property(dirty, (series) => {
      const { score, evidence } = detectBatch(model, autoencoders, series)
      const found = evidenceWithHindsight(model.evidence.batch!, rowsOf([series]))
      const evident = Array.from(score, (_, i) => found.some(({ ratio }) => ratio[i]! > 1))
      return passes({ score, evidence }, patternBatch(model, autoencoders, series), {
        evident,
        reach: reachOf(model, model.batch.smoothing),
        brief: model.batch.smoothing >> 1,
      })
    }), { numRuns: 20 })
    fc.assert(fc.property(dirty, (series) => {
      const { score, evidence } = detectCausal(model, autoencoders, series)
      const evident = Array.from(evidence, (code) => code !== 0 && code !== PATTERN && code % 8 !== 0)
      return passes({ score, evidence }, patternCausal(model, autoencoders, series), {
        evident: evident.map((is, i) => is && score[i]! > 1),
        reach: reachOf(model, model.causal.smoothing),
        brief: model.causal.smoothing >> 2,
      })
    }), { numRuns: 20 })
  })

  t.test(`${name}: after a long gap a detector is as if new`, async () => {
    const { maxGap, windowLength, causal: { smoothing, level }, evidence } = model
    const memory = Math.max(maxGap + windowLength + smoothing + level.span, memoryOf(evidence.causal!))
    fc.assert(fc.property(dirty, fc.nat(300), (series, from) => {
      const stream = new Detector(model, autoencoders)
      for (let i = 0; i < series.length; i++) {
        stream.observe({ time: timeOf(series, i), values: observation(series, i) })
      }
      const nothing = Array<number>(CHANNELS).fill(NaN)
      const end = series.length
      stream.observeAll(Array.from({ length: memory }, (_, i) => ({ time: timeOf(series, end + i), values: nothing })))
      const fresh = new Detector(model, autoencoders)
      return Array.from({ length: test.length - from }, (_, i) => {
        const next = { time: timeOf(series, series.length + memory + i), values: observation(test, from + i) }
        return JSON.stringify(stream.observe(next)) === JSON.stringify(fresh.observe(next))
      }).every(Boolean)
    }), { numRuns: 4 })
  })
}

/** Whether scores are above 1 where evidence of a channel passes, or the pattern lasts and repeats none nearby. */
function passes (
  { score, evidence }: Pick<Detection, 'score' | 'evidence'>,
  { score: pattern }: Detection,
  { evident, reach, brief }: { readonly evident: readonly boolean[], readonly reach: number, readonly brief: number }
): boolean {
  const isNear = (t: number): boolean => evident.slice(Math.max(0, t - 8 * reach), t + 8 * reach).includes(true)
  let high = 0
  return score.every((value, t) => {
    high = pattern[t]! > 1 ? high + 1 : 0
    if (Number.isNaN(value)) return true
    if (evident[t]) return value > 1 && evidence[t] !== PATTERN
    if (value > 1) return pattern[t]! > 1 && evidence[t] === PATTERN
    return high <= brief || isNear(t)
  })
}

t.test('what was long ago changes no score: evidence forgets after its memory', async (t) => {
  // Channels of one or two values remember their departures for longer.
  const series = manyKinds(2600, ['constant', 'switching'])
  const { model, autoencoders } = await fitAdHoc(series, { rows: TRAINED })
  const { maxGap, windowLength, causal: { smoothing, level }, evidence } = model
  const memory = maxGap + windowLength + smoothing + level.span + memoryOf(evidence.causal!)
  t.ok(memory < 2200, `${memory}`)
  const whole = detectCausal(model, autoencoders, series)
  const other = altered(series, (values) => { for (let i = 0; i < 300 * series.channels.length; i++) values[i]! += 20 })
  const { score } = detectCausal(model, autoencoders, other)
  t.notOk(same(score.subarray(0, 300), whole.score.subarray(0, 300)), 'it was something')
  t.ok(same(score.subarray(300 + memory), whole.score.subarray(300 + memory)))
})

/** Scores agree but for rounding; near the threshold they may fall on either side of it. */
function agree (before: Float64Array, after: Float64Array): boolean {
  return before.every((score, i) => {
    if (Number.isNaN(score)) return Number.isNaN(after[i]!)
    return Math.abs(score - after[i]!) <= 0.01 * Math.max(0.2, score) || Math.abs(score - 1) < 0.06
  })
}

t.test('another unit of a channel, in training and scoring alike, changes no verdict', async () => {
  const { model, autoencoders } = FITTED['autoencoders and evidence']!
  await fc.assert(fc.asyncProperty(
    fc.nat(CHANNELS - 1),
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.constantFrom(...['causal', 'batch'] as const),
    async (channel, exponent, scoring) => {
      const inUnit = (series: Series): Series => altered(series, (values) => {
        for (let i = channel; i < values.length; i += CHANNELS) values[i] = 10 ** exponent * values[i]!
      })
      const spiked = altered(test, (values) => { values[150 * CHANNELS + channel]! += 40 })
      const other = await fitAdHoc(inUnit(all), { rows: TRAINED })
      const detect = { causal: detectCausal, batch: detectBatch }[scoring]
      return agree(
        detect(model, autoencoders, spiked).score,
        detect(other.model, other.autoencoders, inUnit(spiked)).score
      )
    }
  ), { numRuns: 10 })
})

t.test('another zero of a channel changes no verdict', async () => {
  const { model, autoencoders } = FITTED['autoencoders and evidence']!
  await fc.assert(fc.asyncProperty(fc.nat(CHANNELS - 1), fc.integer({ min: -20, max: 500 }), async (channel, shift) => {
    const shifted = (series: Series): Series => altered(series, (values) => {
      for (let i = channel; i < values.length; i += CHANNELS) values[i]! += shift
    })
    const spiked = altered(test, (values) => { values[150 * CHANNELS + channel]! += 40 })
    const other = await fitAdHoc(shifted(all), { rows: TRAINED })
    const before = detectBatch(model, autoencoders, spiked).score
    return agree(before, detectBatch(other.model, other.autoencoders, shifted(spiked)).score)
  }), { numRuns: 8 })
})

t.test('channels in another order give the same scores and permuted contributions', async (t) => {
  const order = [3, 0, 7, 5, 1, 2, 6, 4]
  const reordered = (series: Series): Series => ({
    ...series,
    channels: order.map((c) => series.channels[c]!),
    values: series.values.map((_, i) => series.values[i - i % CHANNELS + order[i % CHANNELS]!]!),
  })
  const { model, autoencoders } = FITTED['autoencoders and evidence']!
  const other = await fitAdHoc(reordered(all), { rows: TRAINED })
  const spiked = altered(test, (values) => {
    for (let c = 0; c < CHANNELS; c++) values[(90 + 30 * c) * CHANNELS + c]! += 40
  })
  for (const detect of [detectCausal, detectBatch]) {
    const before = detect(model, autoencoders, spiked)
    const after = detect(other.model, other.autoencoders, reordered(spiked))
    t.ok(agree(before.score, after.score))
    t.ok(scoresOf(before).filter((score) => score !== null && score > 1).length >= 6, 'most spikes are found')
    const differ = before.score.findIndex((score, i) => score > 1.06 && order.some((c, at) =>
      Math.abs(before.contributions[i * CHANNELS + c]! - after.contributions[i * CHANNELS + at]!) > 0.01))
    t.equal(differ, -1)
  }
})

t.test('where a value is missing, one near its neighbours is expected', async (t) => {
  const random = createRandom('missing')
  let drift = 0
  const a = Array.from({ length: 400 }, () => 20 + (drift = 0.99 * drift + 0.1 * random.normal()))
  const farthest = a.reduce((most, value, i) => Math.abs(value - 20) > Math.abs(a[most]! - 20) ? i : most, 0)
  const known = a[farthest]!
  a[farthest] = NaN
  const series = fromColumns({ start: 0, interval: 1000, columns: { a, b: a.map(() => random.normal()) } })
  const { model, autoencoders } = await fitAdHoc(series)
  t.ok(model.evidence.batch!.channels[0]!.own !== null, 'the view of its own past is the tightest')
  for (const detect of [detectBatch, detectCausal]) {
    const { expected } = detect(model, autoencoders, series)
    t.ok(Math.abs(expected[2 * farthest]! - known) < 0.3, `${detect.name}: ${expected[2 * farthest]} for ${known}`)
  }
})
