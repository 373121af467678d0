// Filter features and log deviations: they agree with a plain computation, and a window's bits are its own.
import fc from 'fast-check'
import t from 'tap'
import { fitMasked } from '../../linear/masked.ts'
import { createRandom } from '../../random.ts'
import { errorsOfRun, errorsOfWindows, type Measure, type RunOptions } from '../../scoring/reconstruction-error.ts'
import { sampleWindows, type WindowMatrix } from '../../series/window.ts'
import { deviationMember, fitDeviation } from '../deviation.ts'
import { filtersMember, fitFilters, mapLength } from '../filters.ts'

/** A run of noisy waves, shape [length × channels]. */
function waves (length: number, channels: number, seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: length * channels }, (_, i) =>
    Math.sin(Math.floor(i / channels) / (3 + i % channels)) + 0.2 * random.normal())
}

const near = (a: number, b: number, share: number): boolean => Math.abs(a - b) <= share * Math.max(1e-3, Math.abs(b))

/** The features of one channel's window, by their definition. */
function featuresOf (window: readonly number[]): number[] {
  return [1, 2, 4, 7].filter((dilation) => 8 * dilation + 8 <= window.length).flatMap((dilation) =>
    [3, 0].flatMap((first) => {
      const values = window.slice(8 * dilation).map((_, from) =>
        Array.from({ length: 9 }, (_, tap) => tap).reduce(
          (sum, tap) => sum + (tap >= first && tap < first + 3 ? 2 : -1) * window[from + tap * dilation]!,
          0
        )
      )
      return [Math.max(...values), Math.min(...values)]
    })
  )
}

const channelOf = ({ values, width, channels }: WindowMatrix, i: number, c: number): number[] =>
  Array.from(values.subarray(i * width, (i + 1) * width)).filter((_, j) => j % channels === c)

/** The mean squared residual of each window's features of one channel. */
function residuals (training: WindowMatrix, scored: WindowMatrix, c: number): number[] {
  const rows = Array.from({ length: training.count }, (_, i) => featuresOf(channelOf(training, i, c)))
  const mean = rows[0]!.map((_, f) => rows.reduce((sum, row) => sum + row[f]!, 0) / rows.length)
  const unit = mean.map((center, f) => {
    const squares = rows.reduce((sum, row) => sum + (row[f]! - center) ** 2, 0)
    const size = rows.reduce((sum, row) => sum + Math.abs(row[f]!), 0) / rows.length
    return Math.sqrt(squares / rows.length) + 0.05 * size + 0.001
  })
  const standard = (row: number[]): number[] => row.map((value, f) => (value - mean[f]!) / unit[f]!)
  const values = Float32Array.from(rows.flatMap(standard))
  const { weights } = fitMasked({ values, count: rows.length, width: mean.length, channels: 1 }, 0.1)
  return Array.from({ length: scored.count }, (_, i) => {
    const row = standard(featuresOf(channelOf(scored, i, c)))
    const errors = row.map((value, j) =>
      value - row.reduce((sum, other, i) => sum + other * weights[i * row.length + j]!, 0))
    return errors.reduce((sum, error) => sum + error * error, 0) / row.length
  })
}

const optionsFor = (channels: number, windowLength: number, stride = 1): RunOptions => ({
  channels,
  windowLength,
  stride,
  tail: windowLength,
  weights: Array<number>(channels).fill(1),
  summed: false,
})

t.test('filters: the error is the root mean square of the features\' residuals', async (t) => {
  for (const [windowLength, channels] of [[64, 1], [40, 2], [16, 3]] as const) {
    const [training, run] = [waves(400, channels, 1), waves(150, channels, 2)]
    const windows = sampleWindows([training], channels, windowLength, 100)
    const { errors } = filtersMember(fitFilters(windows)).errorsOfRun(run, optionsFor(channels, windowLength))
    const scored = sampleWindows([run], channels, windowLength, 1000)
    const parts = Array.from({ length: channels }, (_, c) => residuals(windows, scored, c))
    t.equal(errors.length, scored.count * channels)
    for (let w = 0; w < scored.count; w++) {
      const total = parts.reduce((sum, part) => sum + part[w]!, 0)
      for (let c = 0; c < channels; c++) {
        const wanted = Math.sqrt(total / channels) * parts[c]![w]! / total
        const found = errors[w * channels + c]!
        if (!near(found, wanted, 1e-3)) t.fail(`window ${w}: ${found} instead of ${wanted}`)
      }
    }
  }
})

t.test('filters do not see the level, and see a shape that never came', async (t) => {
  const training = waves(2000, 1, 1)
  const { errorsOfRun: measure } = filtersMember(fitFilters(sampleWindows([training], 1, 64, 500)))
  const worst = (change: (value: number, t: number) => number): number =>
    measure(waves(300, 1, 3).map(change), optionsFor(1, 64)).errors.reduce((most, error) => Math.max(most, error), 0)
  const usual = worst((value) => value)
  t.ok(near(worst((value) => value + 2), usual, 1e-3))
  t.ok(worst((value, t) => t >= 150 && t < 180 ? Math.sin(t / 1.3) : value) > 2 * usual)
})

const subjects: Array<[string, number, (windows: WindowMatrix) => Measure]> = [
  ['filters', 16, (windows) => filtersMember(fitFilters(windows))],
  ['filters', 64, (windows) => filtersMember(fitFilters(windows))],
  ['deviation', 16, (windows) => deviationMember(fitDeviation(windows))],
]

for (const [name, windowLength, fit] of subjects) {
  t.test(`${name}, ${windowLength}: a window's bits are its own, wherever it lies and at any stride`, async () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 90 }), fc.nat(), (channels, more, seed) => {
        const member = fit(sampleWindows([waves(200, channels, seed)], channels, windowLength, 50))
        const run = waves(windowLength + more, channels, seed + 1)
        const options = optionsFor(channels, windowLength)
        const { errors, newest } = errorsOfRun(member, run, options)
        const windows = sampleWindows([run], channels, windowLength, 1000)
        const alone = errorsOfWindows(member, windows.values, windows.count, options)
        const stride = 1 + seed % 4
        const apart = errorsOfRun(member, run, { ...options, stride })
        return newest === undefined && alone.newest === undefined && apart.sums === undefined &&
          errors.every((error, i) => Object.is(error, alone.errors[i])) &&
          apart.errors.every((error, i) => {
            const [w, c] = [Math.floor(i / channels), i % channels]
            return Object.is(error, errors[w * stride * channels + c])
          })
      }),
      { numRuns: 40 }
    )
  })
}

t.test('a run of more values than the kernel holds at once is scored in pieces, to the same bits', async (t) => {
  const channels = 40
  const member = filtersMember(fitFilters(sampleWindows([waves(200, channels, 1)], channels, 16, 50)))
  const run = waves(2000, channels, 2)
  const whole = errorsOfRun(member, run, optionsFor(channels, 16)).errors
  const late = errorsOfRun(member, run.subarray(1500 * channels), optionsFor(channels, 16)).errors
  t.strictSame(late, whole.subarray(1500 * channels))
})

t.test('two members share the kernel\'s memory', async (t) => {
  const [one, other] = [1, 2].map((seed) =>
    filtersMember(fitFilters(sampleWindows([waves(300, 1, seed)], 1, 32, 100)))) as [Measure, Measure]
  const run = waves(100, 1, 9)
  const first = one.errorsOfRun(run, optionsFor(1, 32)).errors
  const second = other.errorsOfRun(run, optionsFor(1, 32)).errors
  t.notSame(second, first)
  t.strictSame(one.errorsOfRun(run, optionsFor(1, 32)).errors, first)
  t.strictSame(one.errorsOfRun(run, optionsFor(1, 32)).errors, first, 'its maps are still there')
})

t.test('channels that switch or never vary do not count, unless all of them do so', async (t) => {
  const channels = 3
  const member = deviationMember(fitDeviation(sampleWindows([waves(200, channels, 1)], channels, 16, 50)))
  const sharesWith = (weights: number[]): number[] => {
    const { errors } = errorsOfRun(member, waves(16, channels, 5), { ...optionsFor(channels, 16), weights })
    const sum = errors.reduce((total, error) => total + error, 0)
    return Array.from(errors, (error) => error / sum)
  }
  t.strictSame(sharesWith([1, 1e-4, 3]), [1, 0, 0])
  t.ok(sharesWith([3, 3, 3]).every((share) => share > 0))
})

t.test('deviation: the error counts usual deviations of the logarithm', async (t) => {
  const usual = { center: Float32Array.of(0), spread: Float32Array.of(0.5) }
  const scale = 2 / Math.sqrt(1)
  const run = Float32Array.from({ length: 16 }, (_, i) => i % 2 === 0 ? scale : -scale)
  const [error] = errorsOfRun(deviationMember(usual), run, optionsFor(1, 16)).errors
  t.ok(near(error!, Math.log(2.05) / 0.5, 1e-9), `${error}`)
  const still = errorsOfRun(deviationMember(usual), new Float32Array(16), optionsFor(1, 16)).errors[0]!
  t.ok(near(still, -Math.log(0.05) / 0.5, 1e-9), 'a frozen channel has a logarithm')
})

t.test('deviation: center and spread are mean and deviation over the training windows', async (t) => {
  const windows = sampleWindows([waves(300, 2, 4)], 2, 16, 80)
  const { center, spread } = fitDeviation(windows)
  for (const c of [0, 1]) {
    const logs = Array.from({ length: 80 }, (_, i) => {
      const values = channelOf(windows, i, c)
      const mean = values.reduce((sum, value) => sum + value, 0) / 16
      return Math.log(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 16) + 0.05)
    })
    const mean = logs.reduce((sum, log) => sum + log, 0) / 80
    t.ok(near(center[c]!, mean, 1e-6))
    const wanted = Math.max(0.1, Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / 80))
    t.ok(near(spread[c]!, wanted, 1e-5))
  }
  t.ok(near(fitDeviation(sampleWindows([new Float32Array(40)], 1, 16, 10)).spread[0]!, 0.1, 1e-6))
})

t.test('a channel that never varied has finite features and maps', async (t) => {
  const filters = fitFilters(sampleWindows([new Float32Array(100)], 1, 32, 50))
  t.equal(filters.maps.length, mapLength(32))
  t.ok(filters.maps.every(Number.isFinite))
  const { errors } = filtersMember(filters).errorsOfRun(new Float32Array(60), optionsFor(1, 32))
  t.ok(errors.every((error) => error === 0))
  const departed = filtersMember(filters).errorsOfRun(new Float32Array(60).fill(1e6, 40), optionsFor(1, 32)).errors
  t.ok(departed.every(Number.isFinite) && departed.at(-1)! > 1)
})
