// Channels that stand still: frozen and quiet stretches are found, rests and coarse steps are not evidence.
import fc from 'fast-check'
import t from 'tap'
import { ln } from '../../elementary.ts'
import { createRandom, type Random } from '../../random.ts'
import { fitStillness, type StillnessOptions } from '../fit/stillness.ts'
import { isAsExpected, type Stillness, stillnessOf, StillnessStream } from '../stillness.ts'

const OPTIONS: StillnessOptions = { rate: 2e-6, leftOut: 0, causal: false, robust: false }
const ROBUST: Partial<StillnessOptions> = { robust: true, leftOut: 2 }

const fit = (values: Float64Array, options: Partial<StillnessOptions> = {}): Stillness =>
  fitStillness(values, new Uint8Array(values.length).fill(1), { ...OPTIONS, ...options })
const nothingMissing = (values: Float64Array): Uint8Array => new Uint8Array(values.length)
const evidenceIn = (model: Stillness, values: Float64Array): { frozen: Float64Array, quiet: Float64Array } =>
  stillnessOf(model, values, nothingMissing(values))
const above = (ratios: Float64Array): number[] => [...ratios.keys()].filter((i) => ratios[i]! > 1)

function noise (seed: string, length: number): Float64Array {
  return Float64Array.from({ length }, createRandom(seed).normal)
}

/** A slow process that a coarse sensor rounds to halves: most steps are equal. */
function coarse (seed: string, length: number): Float64Array {
  const random = createRandom(seed)
  let x = 0
  return Float64Array.from({ length }, () => Math.round(2 * (x = 0.98 * x + 0.2 * random.normal())) / 2)
}

/** Power by day, zero by night. */
function solar (random: Random, length: number, day = 96): Float64Array {
  return Float64Array.from({ length }, (_, t) => {
    const sun = Math.sin(2 * Math.PI * t / day)
    return sun > 0 ? sun * (100 + 20 * random.normal()) : 0
  })
}

function stream (model: Stillness, values: Float64Array, missing: Uint8Array): Array<[number, number]> {
  const channel = new StillnessStream(model)
  return Array.from(values, (value, i) => {
    channel.next(value, missing[i] === 1)
    return [channel.frozen, channel.quiet]
  })
}

t.test('equal observations are frozen from their start, but for the first one', async (t) => {
  const values = noise('frozen', 600).map((value, i, all) => i > 300 && i < 320 ? all[300]! : value)
  const model = fit(values, ROBUST)
  t.equal(model.frozenAfter, 5)
  const { frozen } = evidenceIn(model, values)
  t.same(above(frozen), Array.from({ length: 19 }, (_, i) => 301 + i))
  t.equal(frozen[301], 3, 'at most 3')
  t.same(new Set(evidenceIn(model, noise('other', 100)).frozen), new Set([0]))
})

t.test('the run in normal data, and half as long again, passes', async (t) => {
  const values = noise('frozen', 600).map((value, i, all) => i > 300 && i < 320 ? all[300]! : value)
  t.equal(fit(values).frozenAfter, 1.5 * 19 + 1)
  const excluded = Uint8Array.from(values, (_, i) => i > 290 && i < 330 ? 0 : 1)
  t.equal(fitStillness(values, excluded, OPTIONS).frozenAfter, 5)
})

t.test('chance gives the limit of a coarse sensor: longer runs are frozen, usual ones are not', async (t) => {
  const values = coarse('sensor', 2000)
  const model = fit(values, ROBUST)
  const equal = values.filter((value, i) => i > 0 && value === values[i - 1]).length / 1999
  t.ok(equal > 0.5)
  t.ok(model.frozenAfter > 20 && model.frozenAfter < 60, `${model.frozenAfter}`)
  t.equal(model.quietAbove, 0, 'no quiet evidence')
  for (const seed of ['a', 'b', 'c', 'd']) t.same(above(evidenceIn(model, coarse(seed, 2000)).frozen), [], seed)
  const stuck = values.map((value, i) => i > 500 && i <= 570 ? values[500]! : value)
  t.ok(above(evidenceIn(fit(stuck, ROBUST), stuck).frozen).length >= 70, 'also if the fit has seen it')
})

t.test('a channel that rests by night is neither frozen nor quiet by night', async (t) => {
  for (const options of [{}, ROBUST, { causal: true }]) {
    for (const day of [24, 96, 288]) {
      const values = solar(createRandom(`${day}`), 5 * day, day)
      const model = fit(values, options)
      const { frozen, quiet } = evidenceIn(model, values)
      t.same([above(frozen), above(quiet)], [[], []], `${day}`)
      t.ok(stream(model, values, nothingMissing(values)).every((ratios) => Math.max(...ratios) <= 1), 'causally')
    }
  }
  // Two nights of four are half as long: all of them belong to one habit, the longest, too.
  const nights = solar(createRandom('nights'), 480).map((value, i) => i > 280 && i < 330 ? 0 : value)
  t.same(above(evidenceIn(fit(nights, ROBUST), nights).frozen), [])
})

t.test('rests that are rare and long take the quiet evidence away, short ones do not', async (t) => {
  const resting = (length: number): Float64Array =>
    noise('rests', 900).map((value, i) => i % 300 > 100 && i % 300 <= 100 + length ? 0 : value)
  for (const [length, quiet] of [[30, false], [8, true]] as const) {
    const model = fit(resting(length), ROBUST)
    t.equal(model.quietAbove > 0, quiet)
    t.equal(model.frozenAfter, 1.5 * (length - 1) + 1)
    t.same(above(evidenceIn(model, resting(length)).frozen), [])
  }
})

t.test('a stretch of small steps is quiet where the steps are small', async (t) => {
  const values = noise('calm', 1200).map((value, i) => i >= 500 && i < 560 ? value / 50 : value)
  const model = fit(values, ROBUST)
  t.ok(model.quietAbove > 1 && model.quietAbove < 3, `${model.quietAbove}`)
  t.ok(model.usualStep > 0.9 && model.usualStep < 1.3 && model.meanStep > 0.9 && model.meanStep < 1.3)
  const rows = above(evidenceIn(model, values).quiet)
  t.ok(Math.abs(rows[0]! - 500) <= 2 && Math.abs(rows.at(-1)! - 559) <= 2, `${rows[0]} to ${rows.at(-1)}`)
  t.equal(rows.length, rows.at(-1)! - rows[0]! + 1, 'without a gap')
  const causal = fit(values, { ...ROBUST, causal: true })
  const first = stream(causal, values, nothingMissing(values)).findIndex(([, quiet]) => quiet > 1)
  t.ok(first > 505 && first <= 518, `causally from ${first}`)
  t.same(above(evidenceIn(model, noise('healthy', 1200)).quiet), [])
})

t.test('two stretches that follow each other are both quiet, and the lively part between them is not', async (t) => {
  const isCalm = (i: number): boolean => (i >= 500 && i < 540) || (i >= 550 && i < 590)
  const values = noise('two', 1200).map((value, i) => isCalm(i) ? value / 50 : value)
  const rows = above(evidenceIn(fit(noise('usual', 1200)), values).quiet)
  t.ok([505, 535, 555, 585].every((i) => rows.includes(i)))
  t.notOk([480, 545, 610].some((i) => rows.includes(i)))
})

t.test('a fit on other data, few data or none gives no quiet evidence', async (t) => {
  for (const values of [new Float64Array(0), noise('few', 135), new Float64Array(400), noise('two', 2)]) {
    const model = fit(values)
    t.equal(model.quietAbove, 0)
    t.ok(Object.values(model).every(Number.isFinite))
  }
  const nothing = fitStillness(noise('nothing', 200), new Uint8Array(200), OPTIONS)
  t.same([nothing.quietAbove, nothing.meanStep], [0, 0])
  t.ok(nothing.frozenAfter > 100_000)
  const start = Uint8Array.from({ length: 900 }, (_, i) => i < 100 ? 1 : 0)
  t.equal(fitStillness(noise('start', 900), start, OPTIONS).quietAbove, 0, 'few of many')
  const mostlyFrozen = noise('frozen', 500).map((value, i) => i < 300 ? 1 : value)
  t.equal(fit(mostlyFrozen, ROBUST).quietAbove, 0, 'frozen in the most')
  t.ok(above(evidenceIn(fit(mostlyFrozen, ROBUST), mostlyFrozen).frozen).length === 299)
  t.same(evidenceIn(fit(noise('usual', 600)), new Float64Array(0)), { frozen: [], quiet: [] })
})

t.test('a stretch is quiet only where steps are below half of the usual', async (t) => {
  const model = { frozenAfter: 99, usualStep: 1, meanStep: 1, quietAbove: 0.1 }
  const stretch = (step: number): number[] =>
    above(evidenceIn(model, Float64Array.from({ length: 60 }, (_, i) => i % 2 * (i > 20 && i < 45 ? step : 1))).quiet)
  t.same(stretch(0.7), [])
  t.ok(stretch(0.4).length > 15)
})

t.test('a value is as expected up to a thousandth of its scale', async (t) => {
  t.same([0, 0.001, -0.001, 0.0011, -1].map(isAsExpected), [true, true, true, false, false])
})

t.test('a missing observation is never frozen, and counts as the mean step', async (t) => {
  const model = fit(noise('usual', 600))
  const values = new Float64Array(40).fill(2)
  const missing = Uint8Array.from(values, (_, i) => i === 20 ? 1 : 0)
  const { frozen } = stillnessOf(model, values, missing)
  t.same([frozen[19], frozen[20], frozen[21], frozen[22]], [3, 0, 0, 3])
  const alwaysMissing = new Uint8Array(40).fill(1)
  t.ok(stream(model, values, alwaysMissing).every(([frozen, quiet]) => frozen === 0 && quiet === 0))
})

const anyValue = fc.oneof(fc.integer({ min: -40, max: 40 }).map((n) => n / 8), fc.constantFrom(0, 1, 1))
const anySeries = fc.array(fc.tuple(anyValue, fc.nat(9)), { maxLength: 120, size: 'max' }).map((rows) => ({
  values: Float64Array.from(rows, ([value]) => value),
  missing: Uint8Array.from(rows, ([, chance]) => chance === 0 ? 1 : 0),
}))
const anyModel: fc.Arbitrary<Stillness> = fc.record({
  frozenAfter: fc.double({ min: 1, max: 20, noNaN: true }),
  usualStep: fc.constantFrom(0.5, 2),
  meanStep: fc.constantFrom(2, 2.7),
  quietAbove: fc.constantFrom(0, 0.7, 1.5),
})

/** The causal ratios of one observation, from the whole series. */
function reference (model: Stillness, values: Float64Array, missing: Uint8Array, row: number): [number, number] {
  const known = (i: number): boolean => i > 0 && missing[i] === 0 && missing[i - 1] === 0
  let run = 0
  while (known(row - run) && values[row - run] === values[row - run - 1]) run++
  let quiet = 0
  if (model.quietAbove > 0) {
    let sum = 0
    for (let i = row - 16; i <= row; i++) sum += known(i) ? Math.abs(values[i]! - values[i - 1]!) : model.meanStep
    const relative = (sum / 17 + 0.001 * model.usualStep) / (1.001 * model.usualStep)
    quiet = Math.min(3, Math.max(0, -ln(relative)) / model.quietAbove)
  }
  return [Math.min(3, run / model.frozenAfter), quiet]
}

t.test('the stream gives what the whole series gives, also after it was saved as JSON', async () => {
  fc.assert(fc.property(anyModel, anySeries, fc.nat(120), (model, { values, missing }, cut) => {
    let channel = new StillnessStream(model)
    return values.every((value, i) => {
      channel.next(missing[i] === 1 ? NaN : value, missing[i] === 1)
      if (i === cut) {
        const state = JSON.parse(JSON.stringify(channel.save())) as number[]
        channel = new StillnessStream(model)
        channel.restore(state)
        if (state.length > 20) return false
      }
      const [frozen, quiet] = reference(model, values, missing, i)
      return Object.is(channel.frozen, frozen) && Object.is(channel.quiet, quiet)
    })
  }), { numRuns: 300 })
})

t.test('after 18 missing observations a stream is as if new', async () => {
  fc.assert(fc.property(anyModel, anySeries, (model, { values, missing }) => {
    const [channel, fresh] = [new StillnessStream(model), new StillnessStream(model)]
    values.forEach((value, i) => { channel.next(value, missing[i] === 1) })
    for (let i = 0; i < 18; i++) channel.next(NaN, true)
    return JSON.stringify(channel.save()) === JSON.stringify(fresh.save()) && fresh.quiet === 0 && fresh.frozen === 0
  }))
})

t.test('ratios with hindsight lie in [0, 3], and reach what the stream reaches', async () => {
  fc.assert(fc.property(anyModel, anySeries, (model, { values, missing }) => {
    const { frozen, quiet } = stillnessOf(model, values, missing)
    const rows = stream(model, values, missing)
    const most = (ratios: Iterable<number>): number => Math.max(0, ...ratios)
    return [...frozen, ...quiet].every((ratio) => ratio >= 0 && ratio <= 3) &&
      most(frozen) === most(rows.map(([ratio]) => ratio)) &&
      rows.every(([ratio], i) => frozen[i]! >= ratio) &&
      (most(rows.map(([, ratio]) => ratio)) > 1) === (most(quiet) > 1)
  }), { numRuns: 300 })
})

t.test('what is usual follows the unit of the channel', async () => {
  const anyPower = fc.integer({ min: -10, max: 10 })
  const options = fc.record({ robust: fc.boolean(), causal: fc.boolean(), leftOut: fc.constantFrom(0, 2) })
  fc.assert(fc.property(fc.nat(), anyPower, options, (seed, power, some) => {
    const values = noise(`${seed}`, 300)
    const model = fit(values, some)
    const scaled = fit(values.map((value) => value * 2 ** power), some)
    return Object.is(scaled.usualStep, model.usualStep * 2 ** power) && scaled.frozenAfter === model.frozenAfter &&
      Object.is(scaled.meanStep, model.meanStep * 2 ** power) && Math.abs(scaled.quietAbove - model.quietAbove) < 1e-12
  }), { numRuns: 50 })
})

t.test('a higher rate never raises a limit', async () => {
  fc.assert(fc.property(fc.nat(), fc.double({ min: 1, max: 1e4, noNaN: true }), (seed, factor) => {
    const values = coarse(`${seed}`, 300).map((value, i) => i % 3 === 0 ? value + i % 7 : value)
    const [low, high] = [fit(values, { rate: 1e-7 }), fit(values, { rate: 1e-7 * factor })]
    return high.frozenAfter <= low.frozenAfter && (low.quietAbove === 0 || high.quietAbove <= low.quietAbove)
  }), { numRuns: 50 })
})
