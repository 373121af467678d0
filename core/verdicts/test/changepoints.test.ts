// Changepoints: found if the process stays different, and only then.
import fc from 'fast-check'
import t from 'tap'
import { type Changepoint, type ChangepointSettings, findChangepoints } from '../changepoints.ts'
import { createRandom, type Random } from '../../random.ts'
import { autocorrelationTime, robustMoments } from '../../robust.ts'
import { type Scaler } from '../../series/scaler.ts'
import { fromColumns } from '../../series/series.ts'

const find = (
  columns: Record<string, ArrayLike<number>>,
  scaler?: Scaler,
  settings?: ChangepointSettings
): Changepoint[] => findChangepoints(fromColumns({ start: 0, interval: 1000, columns }), scaler, settings)

const PROCESSES: Record<string, (random: Random, seed: number) => (t: number) => number> = {
  'white noise': (random) => () => random.normal(),
  'an autoregression of 0.5': (random) => autoregression(random, 0.5),
  'an autoregression of 0.9': (random) => autoregression(random, 0.9),
  'an autoregression of 0.98': (random) => autoregression(random, 0.98),
  'a sine': (random, seed) => (t) => Math.sin(2 * Math.PI * t / (20 + 13 * (seed % 9))) + 0.1 * random.normal(),
  'heavy tails': (random) => () => random.normal() / Math.sqrt(random.uniform() + 0.02),
}

function autoregression (random: Random, keep: number): () => number {
  let x = 0
  return () => {
    x = keep * x + Math.sqrt(1 - keep * keep) * random.normal()
    return x
  }
}

function series (name: string, seed: number, length: number): number[] {
  const next = PROCESSES[name]!(createRandom(`${name}/${seed}`), seed)
  return Array.from({ length }, (_, t) => next(t))
}

t.test('a process that does not change has a changepoint in at most one of twenty series', async (t) => {
  for (const name of Object.keys(PROCESSES)) {
    for (const length of [300, 2000]) {
      const found = Array.from({ length: 40 }, (_, seed) =>
        find({ a: series(name, seed, length) }).length > 0).filter(Boolean).length
      t.ok(found <= 2, `${name}, ${length} observations: ${found} of 40`)
    }
  }
})

t.test('a shift of three deviations is found within a few observations, and its direction', async (t) => {
  for (const name of ['white noise', 'an autoregression of 0.5']) {
    for (let seed = 0; seed < 10; seed++) {
      const calm = series(name, seed, 1000)
      for (const [by, direction] of [[3, 'up'], [-3, 'down']] as const) {
        const [one, ...others] = find({ a: calm.map((value, i) => i >= 600 ? value + by : value) })
        t.same(others, [])
        t.ok(
          Math.abs(one!.index - 600) <= 5 && one!.direction === direction && one!.confidence > 0.6 &&
            one!.confidence <= 1,
          `${name} ${seed}: ${one!.index}`
        )
      }
    }
  }
})

t.test('a deviation three times as wide or narrow is found too', async (t) => {
  for (let seed = 0; seed < 10; seed++) {
    const calm = series('white noise', seed, 1000)
    for (const [times, direction] of [[3, 'wider'], [1 / 3, 'narrower']] as const) {
      const [one, ...others] = find({ a: calm.map((value, i) => i >= 600 ? value * times : value) })
      t.same(others, [])
      t.ok(Math.abs(one!.index - 600) <= 20 && one!.direction === direction, `${seed}: ${one!.index}`)
    }
  }
})

t.test('what passes is no changepoint, however often', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const calm = series('white noise', seed, 2000)
    t.same(find({ a: calm.map((value, i) => i >= 800 && i < 900 ? value + 6 : value) }), [], 'a bump')
    t.same(find({ a: calm.map((value, i) => i % 500 < 100 ? value + 6 : value) }), [], 'a regime that comes and goes')
  }
  const [one, ...others] = find({
    a: series('white noise', 1, 2000).map((value, i) => value + (i >= 500 && i < 600 ? 8 : 0) + (i >= 1400 ? 3 : 0)),
  })
  t.same(others, [])
  t.ok(Math.abs(one!.index - 1400) <= 3, 'a lasting shift behind a bump')
})

t.test('channels that change together are one changepoint, the clearest first', async (t) => {
  const [a, b, c] = [1, 2, 3].map((seed) => series('white noise', seed, 1000))
  const [one, two, ...others] = find({
    a: a!.map((value, i) => i >= 400 ? value + 2 : value),
    b: b!.map((value, i) => i >= 405 ? value - 6 : value),
    c: c!.map((value, i) => i >= 700 ? value + 6 : value),
  })
  t.same(others, [])
  t.same([one!.channels, one!.direction, two!.channels, two!.direction], [[1, 0], 'down', [2], 'up'])
  t.equal(two!.index, 700)
})

t.test('several lasting changes are all found', async (t) => {
  const a = series('white noise', 4, 3000).map((value, i) => value + 4 * Math.floor(i / 1000))
  t.same(find({ a }).map(({ index, direction }) => [Math.round(index / 10) * 10, direction]), [
    [1000, 'up'],
    [2000, 'up'],
  ])
})

t.test('missing values are skipped, and the index counts them', async (t) => {
  const a = series('white noise', 5, 1000).map((value, i) =>
    i % 7 === 3 || (i > 100 && i < 200) ? NaN : i >= 600 ? value + 5 : value
  )
  t.ok(Math.abs(find({ a })[0]!.index - 600) <= 2)
  t.same(find({ a: Array(500).fill(NaN) as number[] }), [])
})

t.test('a sensor that freezes changes, a constant does not, a command that switches once does', async (t) => {
  const frozen = series('white noise', 6, 1000).map((value, i) => i >= 600 ? 0.2 : value)
  t.same(find({ frozen }).map(({ index, direction }) => [index, direction]), [[600, 'narrower']])
  t.same(find({ constant: Array(500).fill(3) as number[] }), [])
  const command = Array.from({ length: 500 }, (_, i) => i < 400 ? 0 : 1)
  t.same(find({ command }).map(({ index, direction }) => [index, direction]), [[400, 'up']])
})

t.test('with a scaler the training deviation is the measure', async (t) => {
  const a = series('white noise', 7, 1000).map((value, i) => i >= 600 ? value + 3 : value)
  t.equal(find({ a }, { center: [0], scale: [1] }).length, 1)
  t.equal(find({ a }, { center: [0], scale: [100] }).length, 0, 'three hundredths of what is usual')
})

t.test('neither scale nor offset matters, and reversed time finds the same places', async () => {
  const seeds = fc.integer({ min: 0, max: 50 })
  fc.assert(
    fc.property(
      seeds,
      fc.integer({ min: 100, max: 400 }),
      fc.constantFrom(1e-9, 3, 1e9),
      fc.double({ min: -5, max: 5, noNaN: true }),
      (seed, at, scale, offset) => {
        const a = series('white noise', seed, 500).map((value, i) => i >= at ? value + 4 : value)
        const found = find({ a }).map(({ index }) => index)
        const scaled = find({ a: a.map((value) => scale * (value + offset)) }).map(({ index }) => index)
        const reversed = find({ a: a.toReversed() }).map(({ index }) => 500 - index)
        return found.length === 1 && found[0] === scaled[0] && found[0] === reversed[0]
      }
    ),
    { numRuns: 30 }
  )
})

t.test('a hundred thousand observations take a moment', { timeout: 20_000 }, async (t) => {
  const a = series('white noise', 8, 100_000).map((value, i) => i >= 70_000 ? value + 2 : value)
  t.equal(find({ a }).length, 1)
})

t.test('settings that find nothing sensible are refused by name', async (t) => {
  for (const settings of [
    { minLength: 1 },
    { minLength: 2.5 },
    { penalty: -1 },
    { penalty: NaN },
    { minEffect: Infinity },
  ]) {
    t.throws(() => find({ a: [1, 2] }, undefined, settings), {
      code: 'invalid-settings',
      message: new RegExp(`^${Object.keys(settings)[0]}`),
    })
  }
})

t.test('robust moments and the autocorrelation time', async (t) => {
  const values = Float64Array.from(series('white noise', 9, 5000))
  values.fill(1e6, 0, 500)
  const { centre, deviation } = robustMoments(values)
  t.ok(Math.abs(centre) < 0.2 && Math.abs(deviation - 1) < 0.25, 'a tenth of wild values moves little')
  t.same(robustMoments(Float64Array.from([2, 2, 2])), { centre: 2, deviation: 0 })
  t.same(
    robustMoments(Float64Array.from([0, 0, 0, 2])),
    { centre: 0, deviation: 1 },
    'mostly equal: the standard deviation'
  )
  t.equal(autocorrelationTime(new Float64Array(100)), 1)
  t.equal(autocorrelationTime(new Float64Array(3)), 1)
  t.ok(autocorrelationTime(Float64Array.from(series('white noise', 10, 5000))) < 3)
  const time = autocorrelationTime(Float64Array.from(series('an autoregression of 0.9', 11, 20_000)))
  t.ok(time > 19 / 2 && time < 19 * 2, `${time} is about (1 + 0.9) / (1 − 0.9) = 19`)
})
