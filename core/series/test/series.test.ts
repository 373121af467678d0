// The grid: resampling of dirty rows, channel selection, gap filling, windows, randomness.
import fc from 'fast-check'
import t from 'tap'
import { type Table } from '../../table/csv.ts'
import { fillGaps, HoldImputer } from '../impute.ts'
import { createRandom, shuffle } from '../../random.ts'
import { inferInterval, resample } from '../resample.ts'
import {
  channelValues,
  checkObserved,
  emptyChannels,
  fromColumns,
  observation,
  selectChannels,
  slice,
  timeOf,
} from '../series.ts'
import { sampleWindows, WindowBuffer, windowCount } from '../window.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1)

const table = (rows: ReadonlyArray<readonly [minute: number, value: number]>): Table => ({
  channels: ['a'],
  timestamps: Float64Array.from(rows, ([minute]) => START + minute * MINUTE),
  values: Float64Array.from(rows, ([, value]) => value),
  textColumns: [],
})

const repair = { order: 'repair', maxObservations: 1000 } as const

t.test('dirty rows come back to the grid, and the dirt is counted', async (t) => {
  const { series, quality } = resample(table([[0, 1], [10.5, 2], [29.2, 4], [20, 3], [20.3, 33], [60, 7], [50, NaN]]), {
    ...repair,
    interval: 10 * MINUTE,
  })
  t.equal(series.start, START)
  t.same(Array.from(series.values), [1, 2, 33, 4, NaN, NaN, 7])
  t.same(quality, [{ missing: 2, duplicates: 1, outOfOrder: 2 }])
})

t.test('order and jitter of rows do not matter', async () => {
  const jitter = fc.array(
    fc.tuple(fc.double({ min: -0.9, max: 0.9, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    { minLength: 40, maxLength: 40, size: 'max' }
  )
  fc.assert(fc.property(jitter, (moves) => {
    const rows = moves.map(([shift, order], i) => ({ row: [i * 10 + shift, i] as const, order }))
    const shuffled = table(rows.sort((a, b) => a.order - b.order).map(({ row }) => row))
    const { series } = resample(shuffled, { ...repair, interval: 10 * MINUTE })
    return series.length >= 40 &&
      moves.every((_, i) => series.values[i + Math.round((START - series.start) / series.interval)] === i)
  }))
})

t.test('of rows of one time the later one counts', async (t) => {
  const { series, quality } = resample(table([[0, 1], [10, 2], [10, 3], [20, 4]]), repair)
  t.same(Array.from(series.values), [1, 3, 4])
  t.equal(quality[0]!.duplicates, 1)
})

t.test('a grid that is not on whole multiples keeps its phase', async (t) => {
  t.equal(resample(table([[3, 1], [13, 2], [23, 3]]), repair).series.start, START + 3 * MINUTE)
})

t.test('the interval is inferred from the times', async (t) => {
  t.equal(inferInterval(table([[0, 0], [9.8, 0], [20.1, 0], [50, 0]]).timestamps), 10 * MINUTE)
  t.equal(inferInterval(Float64Array.from([0, 7300, 14600])), 7300, 'an unusual interval is taken as it is')
  t.ok(Number.isNaN(inferInterval(Float64Array.from([5, 5]))))
  t.throws(() => resample(table([[0, 1]]), repair), { code: 'interval-mismatch' })
  t.equal(resample(table([[0, 1]]), { ...repair, interval: MINUTE }).series.length, 1)
  t.throws(() => resample(table([[0, 1], [60, 2], [120, 3]]), { ...repair, interval: 10 * MINUTE }), {
    code: 'interval-mismatch',
    message: /PT1H apart, but the sampling interval is to be PT10M/,
  })
  t.throws(() => resample(table([[0, 1], [5, 2], [10, 3]]), { ...repair, interval: 10 * MINUTE }), {
    code: 'interval-mismatch',
  }, 'nothing is thinned out in silence')
  t.throws(() => resample(table([[0, 1], [14, 2], [28, 3]]), { ...repair, interval: 10 * MINUTE }), {
    code: 'interval-mismatch',
  }, 'and nothing stretched')
})

t.test('strict order refuses what repair mends', async (t) => {
  const strict = { order: 'strict', maxObservations: 10 } as const
  t.throws(() => resample(table([[0, 1], [10, 2], [5, 3]]), strict), {
    code: 'timestamps-not-ascending',
    extensions: { index: 2 },
  })
  t.throws(() => resample(table([[0, 1], [0, 2]]), strict), {
    code: 'timestamps-not-ascending',
    extensions: { index: 1 },
  })
  t.throws(() => resample(table([[0, 1], [10, 2], [20, 2], [20.1, 3], [30, 4]]), strict), {
    code: 'timestamps-not-ascending',
    extensions: { index: 3 },
    message: /one observation of the grid of PT10M/,
  })
  t.throws(() => resample(table([[0, 1], [1, 1], [2, 1], [11, 2]]), strict), {
    code: 'series-too-long',
    extensions: { limit: 10, got: 12 },
  })
})

t.test('series: columns, observations, slices, times', async (t) => {
  const series = fromColumns({ start: START, interval: MINUTE, columns: { a: [1, null, 3], b: [4, 5, 6] } })
  t.same(Array.from(observation(series, 1)), [NaN, 5])
  t.same(Array.from(channelValues(series, 1)), [4, 5, 6])
  t.equal(timeOf(slice(series, 2, 3), 0), START + 2 * MINUTE)
  t.equal(fromColumns({ start: 0, interval: 1, columns: {} }).length, 0)
  t.equal(selectChannels(series, ['a', 'b']), series, 'nothing to do')
  t.same(Array.from(selectChannels(series, ['b', 'a']).values), [4, 1, 5, NaN, 6, 3])
  t.throws(() => selectChannels(series, ['a']), {
    code: 'unknown-channel',
    items: [{ pointer: '/channels/b' }],
    extensions: { expected: ['a'] },
  })
  t.throws(() => selectChannels(series, ['a', 'b', 'c/d']), {
    code: 'missing-channel',
    items: [{ pointer: '/channels/c~1d' }],
  })
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, c) => [`x${c}`, [1]]))
  t.throws(() => selectChannels(fromColumns({ start: 0, interval: 1, columns: many }), ['a']), {
    message: /"x9" and 2 more/,
  })
})

t.test('a channel without a value is named', async (t) => {
  const dead = fromColumns({ start: 0, interval: 1, columns: { a: [1, null], b: [null, null], c: [NaN, NaN] } })
  t.same(emptyChannels([dead]), ['b', 'c'])
  t.same(emptyChannels([dead, fromColumns({ start: 0, interval: 1, columns: { a: [1], b: [2], c: [null] } })]), ['c'])
  t.same(emptyChannels([]), [])
  t.throws(() => checkObserved(dead), {
    code: 'missing-channel',
    message: /"b", "c" has no value/,
    items: [{ pointer: '/channels/b' }, { pointer: '/channels/c' }],
  })
  t.doesNotThrow(() => checkObserved(slice(fromColumns({ start: 0, interval: 1, columns: { a: [null, 1] } }), 0, 2)))
})

t.test('the imputer holds the last value up to maxGap observations', async (t) => {
  const imputer = new HoldImputer(1, 2)
  const seen = [NaN, 5, NaN, NaN, NaN, 6, Infinity].map((value) => {
    const { values, imputed, complete } = imputer.next([value])
    return [values[0], imputed[0], complete]
  })
  t.same(seen, [[NaN, 0, false], [5, 0, true], [5, 1, true], [5, 1, true], [5, 0, false], [6, 0, true], [6, 1, true]])
})

t.test('a value that is given counts as missing, and is held when the next one is missing, too', async (t) => {
  const imputer = new HoldImputer(1, 2)
  const seen = ([[3, 1], [4, 1], [NaN, 0], [6, 0], [NaN, 1], [7, 1], [8, 1]] as const).map(([value, given]) => {
    const { values, imputed, complete } = imputer.next([value], 0, [given])
    return [values[0], imputed[0], complete]
  })
  t.same(seen, [[3, 1, true], [4, 1, true], [4, 0, false], [6, 0, true], [6, 1, true], [7, 1, true], [8, 0, false]])
})

t.test('an imputer and a window buffer go on as the ones that saved', async () => {
  const rows = fc.array(fc.tuple(fc.constantFrom(1, 2, NaN), fc.constantFrom(3, NaN)), { maxLength: 30, size: 'max' })
  fc.assert(fc.property(rows, fc.nat(30), fc.integer({ min: 1, max: 5 }), (list, cut, length) => {
    let [imputer, buffer] = [new HoldImputer(2, 2), new WindowBuffer(length, 2)]
    const [uninterrupted, whole] = [new HoldImputer(2, 2), new WindowBuffer(length, 2)]
    return list.every((row, i) => {
      if (i === cut) {
        const [memory, newest] = [imputer.save(), buffer.save()]
        imputer = new HoldImputer(2, 2)
        imputer.restore(memory)
        buffer = new WindowBuffer(length, 2)
        buffer.restore(newest)
      }
      if (i === 20) for (const one of [buffer, whole]) one.clear()
      for (const one of [buffer, whole]) one.next().set(row)
      return JSON.stringify([imputer.next(row), buffer.window]) ===
        JSON.stringify([uninterrupted.next(row), whole.window])
    })
  }))
})

t.test('gaps of a whole series are filled as those of a stream', async () => {
  const value = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: -9, max: 9 }) }, fc.constantFrom(NaN, Infinity))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(value, { maxLength: 60, size: 'max' }),
      (channels, maxGap, list) => {
        const values = Float64Array.from(list.slice(0, list.length - list.length % channels))
        const before = values.slice()
        const imputed = new Uint8Array(values.length)
        const { filled, incomplete } = fillGaps(values, channels, maxGap, imputed)
        const imputer = new HoldImputer(channels, maxGap)
        return before.every((one, i) => Object.is(one, values[i])) &&
          Array.from({ length: values.length / channels }, (_, t) => t).every((t) => {
            const step = imputer.next(values, t * channels)
            const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
              Array.from({ length: channels }, (_, c) => c).every((c) => a[t * channels + c] === b[c])
            return same(imputed, step.imputed) && step.complete === (incomplete?.[t] !== 1) &&
              (!step.complete || same(filled, step.values))
          })
      }
    )
  )
  fillGaps(Float64Array.of(1, NaN), 1, 1)
})

t.test('the window buffer always holds the newest window', async () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 }), (length, steps) => {
    const buffer = new WindowBuffer(length, 2)
    for (let i = 0; i < steps; i++) {
      buffer.next().set([i, -i])
      const wanted = Array.from({ length }, (_, k) => [i - length + 1 + k, -(i - length + 1 + k)]).flat()
      const found = buffer.window
      if (
        i < length - 1
          ? found !== undefined
          : JSON.stringify(Array.from(found!)) !==
            JSON.stringify(Float32Array.from(wanted).reduce<number[]>((list, value) => [...list, value], []))
      ) return false
    }
    buffer.clear()
    return buffer.window === undefined
  }))
})

t.test('sampled windows are evenly spaced, first and last among them, none across runs', async (t) => {
  const runs = [
    Float32Array.from({ length: 10 }, (_, i) => i),
    Float32Array.from([100]),
    Float32Array.from({ length: 5 }, (_, i) => 200 + i),
  ]
  t.equal(windowCount(1, 3), 0)
  const every = sampleWindows(runs, 1, 3, 100)
  t.equal(every.count, 8 + 3)
  const some = sampleWindows(runs, 1, 3, 5)
  const firsts = Array.from({ length: some.count }, (_, i) => some.values[i * 3])
  t.same(firsts, [0, 2, 5, 7, 202])
  t.equal(sampleWindows(runs, 1, 3, 1).values[0], 0)
  t.equal(sampleWindows([], 1, 3, 5).count, 0)
})

t.test('random numbers: seeded, spread, forked, shuffled', async (t) => {
  const draw = (seed: string | number): number[] => {
    const random = createRandom(seed)
    return [random.uniform(), random.normal(), random.normal(), random.integer(10)]
  }
  t.same(draw('a'), draw('a'))
  t.not(draw('a')[0], draw('b')[0])
  const random = createRandom(7)
  const normals = Array.from({ length: 20_000 }, () => random.normal())
  const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length
  const deviation = Math.sqrt(normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length)
  t.ok(Math.abs(mean) < 0.03 && Math.abs(deviation - 1) < 0.03)
  const first = createRandom('x')
  const second = createRandom('x')
  second.uniform()
  t.equal(first.fork('y').uniform(), second.fork('y').uniform(), 'a fork does not depend on what was drawn')
  const shuffled = shuffle(Uint32Array.from({ length: 50 }, (_, i) => i), createRandom(1))
  t.not(shuffled.join(), [...shuffled].sort((a, b) => a - b).join())
  t.same([...shuffled].sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i))
})
