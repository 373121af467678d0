// The parts of evidence, each by its promise; streams of them agree with the whole series and forget.
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../random.ts'
import { fromColumns, slice } from '../../series/series.ts'
import { DEPARTURE_MEMORY, DepartureStream, newsOf } from '../departures.ts'
import { GUARD_MEMORY, relativeToUsual, TrailingGuard } from '../guard.ts'
import { evidenceCode, EVIDENCE, evidenceOf, tightestView, VIEWS } from '../model.ts'
import { fitOwn, fitRelation, ownResiduals, relationResidual } from '../prediction.ts'
import { residualAt, standardise } from '../residuals.ts'
import { Ring } from '../ring.ts'
import { rowsOf } from '../rows.ts'
import { centredLevel, levelsOf, TrailingLevel } from '../running-level.ts'
import { groupByPhase, phaseMedians, phaseOf } from '../season.ts'
import { means, squaresOf, strongestStretch } from '../sustained.ts'
import { CycleTrust, trustMemory, usualDeparture } from '../trust.ts'

t.test('a ring holds the newest values, oldest first, and sums them in order of time', async (t) => {
  const ring = new Ring(3, NaN)
  t.same(ring.save(), [NaN, NaN, NaN])
  for (const value of [1, 2, 3, 4]) ring.push(value)
  t.same(ring.save(), [2, 3, 4])
  t.same([ring.mean(2), ring.meanSquare(2)], [3.5, 12.5])
  ring.pushAfter(2, 6)
  t.same(ring.save(), [4, NaN, 6])
  ring.pushAfter(99, 7)
  t.same(ring.save(), [NaN, NaN, 7])
  const other = new Ring(3)
  other.restore([1, 2, 3])
  t.same(other.save(), [1, 2, 3])
})

t.test('gaps are filled on a line, at the ends with the nearest value, and series do not touch', async (t) => {
  const columns = { a: [NaN, 1, NaN, 3, Infinity], b: [NaN, NaN, NaN, NaN, NaN] }
  const series = fromColumns({ start: 5000, interval: 1000, columns })
  const rows = rowsOf([series, slice(series, 0, 2)])
  t.same([...rows.columns[0]!], [1, 1, 2, 3, 3, 1, 1])
  t.same([...rows.missing[0]!], [1, 0, 1, 0, 1, 1, 0])
  t.same([...rows.columns[1]!], [0, 0, 0, 0, 0, 0, 0], 'without any value')
  t.same([[...rows.index], rows.edges], [[5, 6, 7, 8, 9, 5, 6], [0, 5, 7]])
})

t.test('phases: whole and fractional cycles, also before the epoch', async (t) => {
  t.same([-1, 0, 23, 24].map((index) => phaseOf(index, 24)), [23, 0, 23, 0])
  fc.assert(fc.property(fc.integer({ min: -1e6, max: 1e9 }), fc.double({ min: 1, max: 500, noNaN: true }), (i, p) => {
    const phase = phaseOf(i, p)
    return Number.isInteger(phase) && phase >= 0 && phase < Math.round(p)
  }))
})

t.test('a season is told by the other cycles', async (t) => {
  const phases = groupByPhase(Float64Array.of(0, 1, 2, 3, 4, 5), 2)
  const values = Float64Array.of(1, 10, 2, 20, 9, 30)
  const { profile, residuals } = phaseMedians(values, Uint8Array.of(1, 1, 1, 1, 0, 1), phases)
  t.same([[...profile], [...residuals]], [[1.5, 20], [-1, -15, 1, 0, 7.5, 15]])
  t.same([...phaseMedians(values, new Uint8Array(6), phases).profile], [NaN, NaN], 'no row counts')
  t.same(
    [...phaseMedians(values, new Uint8Array(6).fill(1), phases, 2).profile],
    [2, NaN],
    'every second phase is enough to judge'
  )
})

t.test('the level follows a line, exactly where it takes all values; a short anomaly does not move it', async (t) => {
  const line = Float64Array.from({ length: 200 }, (_, i) => 3 + i / 4)
  for (const [window, most] of [[4, 1e-9], [40, 1e-9], [160, 0.3], [999, 0.3]] as const) {
    t.ok(centredLevel(line, 7, window).every((level, i) => Math.abs(level - line[i]!) < most), `${window}`)
  }
  t.same([...centredLevel(Float64Array.of(5), 0, 40)], [5])
  const spiked = line.map((value, i) => i >= 90 && i < 98 ? 99 : value)
  t.ok(centredLevel(spiked, 0, 80).every((level, i) => Math.abs(level - line[i]!) < 6))
})

t.test('the level of a curve follows its bends, also near the ends, and no short anomaly', async (t) => {
  const square = Float64Array.from({ length: 200 }, (_, i) => i * i / 100)
  const rows = { missing: new Uint8Array(200), index: Float64Array.from(square, (_, i) => i), causal: false }
  const farthest = (curved: boolean, values = square): number =>
    Math.max(...levelsOf({ level: 40, curved }, values, rows).map((level, i) => Math.abs(level - square[i]!)))
  t.ok(farthest(false) > 1.2 && farthest(true) < 0.6, `${farthest(false)}, ${farthest(true)}`)
  const spiked = square.map((value, i) => i >= 90 && i < 98 ? 999 : value)
  t.ok(farthest(true, spiked) < 20, `${farthest(true, spiked)}`)
})

t.test('the trailing level is unknown for half a window, then follows a line, and forgets a window', async (t) => {
  const level = new TrailingLevel(160)
  const levels = Array.from({ length: 600 }, (_, i) => level.next(i, i / 4, i === 300))
  t.ok(levels.slice(0, 70).every(Number.isNaN))
  const lags = levels.map((value, i) => i - 4 * value).slice(170)
  t.ok(lags.every((lag) => lag > -5 && lag <= 20), 'about a line, by at most an eighth of the window')
  t.notOk(Number.isNaN(levels[100]!), 'one half is enough')
  const other = new TrailingLevel(160)
  other.restore(level.save())
  t.same(other.save(), level.save())
  for (let i = 600; i < 760; i++) level.next(i, 9, true)
  t.ok(Number.isNaN(level.next(760, 9, true)))
})

t.test('predictions: a wave from its past, a channel from its double', async (t) => {
  const wave = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i / 3))
  const all = new Uint8Array(200).fill(1)
  const own = fitOwn(wave, all, { spans: [{ from: 0, to: 200 }], memory: 8 })
  for (const causal of [true, false]) {
    const { residuals } = ownResiduals(own, wave, { missing: new Uint8Array(wave.length), causal })
    t.ok(residuals.every((value) => Math.abs(value) < 0.2))
  }
  const short = ownResiduals(own, wave.subarray(0, 5), { missing: new Uint8Array(5), causal: true })
  t.same([...short.residuals], [0, 0, 0, 0, 0], 'too short')
  const few = fitOwn(wave, all.map((_, i) => i % 4 === 0 ? 1 : 0), { spans: [{ from: 0, to: 200 }], memory: 8 })
  t.same(few, own, 'too few clean windows: all count')
  const long = Float64Array.from({ length: 5000 }, createRandom('long').normal)
  const [relation] = fitRelation([long, long.map((value) => 2 * value)], new Uint8Array(5000).fill(1))
  t.ok(Math.abs(relationResidual(relation!, [3, 6], 0)) < 0.01)
  t.ok(Math.abs(relationResidual(relation!, [3, 0], 0)) > 2)
})

t.test('residuals: a constant channel, an unknown level, a level that scales, a wild value', async (t) => {
  const baseline = { base: 4, level: 9, multiplicative: true, period: 1, profile: [1], scale: [2] }
  t.same(residualAt({ baseline, constant: true, pair: null }, 0, 4 + 1e-15, 4), { residual: 0, unit: 0, usual: 4 })
  t.same(residualAt({ baseline, constant: true, pair: null }, 0, 3, 4), { residual: -12, unit: 0, usual: 4 })
  t.same(residualAt({ baseline, constant: false, pair: null }, 0, 9, NaN), {
    residual: 0,
    unit: 2,
    usual: 5,
  })
  t.same(residualAt({ baseline, constant: false, pair: null }, 0, 10, 8), {
    residual: 0,
    unit: 4,
    usual: 10,
  })
  t.equal(standardise(-1e300, 0, 1e-9), -1e100)
})

t.test('means are those of the rows around, and the strongest stretch is where evidence is', async () => {
  const residuals = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 40, size: 'max' })
  fc.assert(fc.property(residuals, fc.boolean(), (list, causal) => {
    const values = Float64Array.from(list)
    return means(values, 5, causal).every((mean, i) => {
      const to = causal ? i : i + 2
      let sum = 0
      for (let j = to - 4; j <= to; j++) sum += list[j] ?? 0
      return Object.is(mean + 0, sum / 5 + 0)
    })
  }))
  const evidence = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20, size: 'max' })
  fc.assert(fc.property(evidence, (list) => {
    const sumOf = (from: number, to: number): number =>
      list.slice(from, to + 1).reduce((sum, one) => sum + one - 4.5, 0)
    const { from, to } = strongestStretch(Float64Array.from(list), 4.5)
    return list.every((_, i) => list.every((_, j) => j < i || sumOf(i, j) <= sumOf(from, to)))
  }))
})

t.test('evidence of a channel that always departs becomes usual', async (t) => {
  const passed = new Float64Array(1500).map((_, i) => i < 400 ? 0 : 3)
  relativeToUsual(passed, 0)
  t.same([passed[399], passed[420]], [0, 3])
  t.ok(passed[1000]! < 1)
  const guard = new TrailingGuard()
  const divisors = Array.from({ length: 1500 }, (_, i) => guard.next(i, i < 400 ? 0 : 3))
  t.equal(divisors[500], 1)
  t.ok(Math.abs(divisors[1400]! - 4.2) < 1e-9)
  const other = new TrailingGuard()
  other.restore(guard.save())
  t.same(other.save(), guard.save())
  for (let i = 1500; i < 1500 + GUARD_MEMORY; i++) guard.next(i, 0)
  t.equal(guard.next(1500 + GUARD_MEMORY, 3), 1)
})

t.test('evidence that returns again and again is usual, too; a few spikes are not', async (t) => {
  const every = (rows: number, of: number): Float64Array =>
    Float64Array.from({ length: 1500 }, (_, i) => i % of < rows ? 2 : 0)
  const recurring = every(20, 90)
  relativeToUsual(recurring, 0)
  t.ok(recurring.slice(250, 1250).every((ratio) => ratio < 1), 'a fifth of all rows, every 90 rows')
  const spikes = every(1, 40)
  relativeToUsual(spikes, 0)
  t.same(spikes, every(1, 40), 'spikes in most parts')
  const fault = Float64Array.from({ length: 1500 }, (_, i) => i >= 700 && i < 900 ? 2 : 0)
  const before = fault.slice()
  relativeToUsual(fault, 0)
  t.same(fault, before, 'one long fault')
})

t.test('a departure is news until it is a habit', async (t) => {
  const residuals = new Float64Array(9000)
  for (const at of [10, 11, 40, 70, 8000]) residuals[at] = 12
  t.same([...newsOf(residuals).keys()].filter((i) => newsOf(residuals)[i] === 1), [8000])
  const stream = new DepartureStream()
  const news = Array.from(residuals, (value, i) => stream.next(i, value !== 0))
  t.same([...news.keys()].filter((i) => news[i]), [10, 11, 40, 8000])
  const other = new DepartureStream()
  other.restore(stream.save())
  t.same(other.save(), stream.save())
  t.ok(stream.next(9000 + DEPARTURE_MEMORY, true))
  other.restore(stream.save())
  t.ok(other.next(9001 + DEPARTURE_MEMORY, true), 'the departure goes on')
  t.notOk(other.next(9003 + DEPARTURE_MEMORY, false))
  t.ok(other.next(9004 + DEPARTURE_MEMORY, true), 'the second one')
  other.restore(other.save())
  t.ok(other.next(9005 + DEPARTURE_MEMORY, true), 'which goes on, too')
  t.notOk(other.next(9006 + DEPARTURE_MEMORY, false))
  t.notOk(other.next(9007 + DEPARTURE_MEMORY, true), 'the third one is a habit')
})

t.test('a cycle that drifts loses trust, and wins it back', async (t) => {
  const trust = new CycleTrust(20, 0.5)
  const divisors = Array.from({ length: 600 }, (_, i) => trust.next(i, i >= 200 && i < 400 ? 5 : 0.5))
  t.equal(divisors[199], 1)
  t.ok(divisors[399]! > 3)
  const other = new CycleTrust(20, 0.5)
  other.restore(trust.save())
  t.same(other.save(), trust.save())
  t.equal(divisors[400 + trustMemory(20)], 1)
})

t.test('the usual departure of a cycle is that of the rows that count, each bounded', async (t) => {
  t.equal(usualDeparture(Float64Array.of(1, -1, 99, 7), Uint8Array.of(1, 1, 1, 0)), 14 / 3)
  t.equal(usualDeparture(Float64Array.of(1, 2), new Uint8Array(2)), 0, 'no row counts')
})

t.test('codes name kinds and views; the tightest view expects', async (t) => {
  for (const kind of EVIDENCE) for (const view of VIEWS) t.same(evidenceOf(evidenceCode(kind, view)), { kind, view })
  const thresholds = (point: number) => ({ point, mean: [], power: [] })
  const relation = { prediction: { offset: 0, weights: [] }, raw: false, factor: 1, thresholds: thresholds(3) }
  const channel = { constant: false, pair: null, season: thresholds(4), own: null, relation }
  t.equal(tightestView(channel), 'relation')
  t.equal(tightestView({ ...channel, pair: [0, 1] }), 'season')
})

t.test('levels of a series are those of each scoring, and squares those of residuals', async (t) => {
  const values = Float64Array.from({ length: 30 }, (_, row) => row % 7)
  const rows = { missing: new Uint8Array(30), index: Float64Array.from(values, (_, row) => 100 + row) }
  t.same(levelsOf({ level: 8 }, values, { ...rows, causal: false }), centredLevel(values, 100, 8))
  const trailing = new TrailingLevel(8)
  const wanted = Array.from(values, (value, row) => trailing.next(100 + row, value, false))
  t.same(Array.from(levelsOf({ level: 8 }, values, { ...rows, causal: true })), wanted)
  t.equal(levelsOf({ level: 8 }, values.subarray(0, 0), { ...rows, causal: false }).length, 0)
  t.same(squaresOf(Float64Array.of(-2, 3)), Float64Array.of(4, 9))
})
