// Fits of evidence: what a channel is taken for, and how much of normal and of odd data passes.
import t from 'tap'
import { createRandom } from '../../../random.ts'
import { fromColumns, slice } from '../../../series/series.ts'
import { evidenceWithHindsight } from '../../hindsight.ts'
import type { ChannelEvidence, Rows } from '../../model.ts'
import { rowsOf } from '../../rows.ts'
import { type EvidenceOptions, fitEvidence } from '../fit.ts'
import { countOf, everyIncluded, meanAbsolute, medianOf, spreadOf } from '../included.ts'
import { completeRows } from '../relations.ts'
import { suspectsOf } from '../robust.ts'
import { thresholdsOf } from '../thresholds.ts'

const NAMED: EvidenceOptions = { causal: false, leftOut: 0, robust: false, anyPeriod: true }
const HOUR = 3_600_000

function rowsFrom (length: number, columns: Record<string, (t: number) => number>, interval = HOUR): Rows {
  const values = Object.entries(columns).map(([name, at]) => [name, Array.from({ length }, (_, t) => at(t))])
  return rowsOf([fromColumns({ start: 0, interval, columns: Object.fromEntries(values) })])
}

function fitted (rows: Rows, options: Partial<EvidenceOptions> = {}): readonly ChannelEvidence[] {
  const none = rows.columns.map((column) => new Uint8Array(column.length))
  return fitEvidence(rows, none, { ...NAMED, ...options }).fit.channels
}

/** A source of noise of its own for each test. */
const noiseOf = (seed: string): () => number => {
  const random = createRandom(seed)
  return () => random.normal()
}

t.test('the course of a channel: none, a day, a level, a day that grows with it, a cycle of its own', async (t) => {
  const noise = noiseOf('course')
  const day = (t: number): number => Math.sin(2 * Math.PI * t / 24)
  let walk = 0
  const channels = fitted(rowsFrom(600, {
    noise: () => noise(),
    daily: (t) => 10 * day(t) + noise(),
    walking: () => (walk += noise()) + 0.1 * noise(),
    growing: (t) => (20 + t / 5) * (2 + day(t)) + 0.5 * noise(),
    own: (t) => 10 * Math.sin(2 * Math.PI * t / 13.4) + noise(),
  }))
  const [plain, daily, walking, growing, own] = channels.map(({ baseline }) => baseline)
  t.match(plain, { period: 1, level: 0 })
  t.match(daily, { period: 24, level: 0 })
  t.ok(walking!.level > 0)
  t.match(growing, { period: 24, multiplicative: true })
  t.ok(Math.abs(own!.period - 13.4) < 0.1)
  const causal = fitted(rowsFrom(600, {
    daily: (t) => 10 * day(t) + noise(),
    own: (t) => 10 * Math.sin(2 * Math.PI * t / 13.4) + noise(),
  }), { causal: true })
  t.equal(causal[0]!.usual, 0)
  t.ok(causal[1]!.usual > 0, 'a cycle that was found can lose its phase, the calendar cannot')
  t.equal(fitted(rowsFrom(600, { own: (t) => 9 * Math.sin(t / 2) }), { anyPeriod: false })[0]!.baseline.period, 1)
})

t.test('views that leave less than the baseline are kept, others not', async (t) => {
  const noise = noiseOf('views')
  let past = 0
  const load = Array.from({ length: 600 }, () => 5 * noise())
  const [sluggish, one, other, plain] = fitted(rowsFrom(600, {
    sluggish: () => (past = 0.95 * past + noise()),
    one: (t) => load[t]!,
    other: (t) => 2 * load[t]! + 0.2 * noise(),
    plain: () => noise(),
  }))
  t.ok(sluggish!.own !== null && plain!.own === null)
  t.ok(one!.relation !== null && other!.relation !== null && plain!.relation === null)
  t.ok(one!.relation!.thresholds.point < one!.season!.point)
})

t.test('constant, resting, switching and never varying channels', async (t) => {
  const noise = noiseOf('rest')
  const [still, once, rests, switching, clockwork] = fitted(rowsFrom(400, {
    still: () => 5,
    once: (t) => t === 200 ? 9 : 5,
    rests: (t) => t % 80 === 7 ? noise() : 0,
    switching: (t) => Math.sin(t / 11) + Math.sin(t / 7.3) > 0 ? 1 : 0,
    clockwork: (t) => Math.floor(t / 30) % 2,
  }), { robust: true })
  t.ok(still!.constant && still!.season === null)
  t.ok(once!.constant)
  t.ok(!rests!.constant && rests!.stillness === null, 'no prediction and no stillness where it rests')
  t.same(switching!.pair, [0, 1])
  t.ok(clockwork!.pair === null && clockwork!.baseline.period === 60, 'a cycle tells each of its values')
})

t.test('normal data pass, a spike and a step do not, with and without named rows', async (t) => {
  const noise = noiseOf('passes')
  const rows = rowsFrom(500, { a: (t) => noise() + (t === 250 ? 12 : 0) + (t >= 400 && t < 420 ? 4 : 0) })
  const [suspects] = suspectsOf(rows)
  t.ok(suspects![250] === 1 && suspects![410] === 1 && suspects!.reduce((sum, one) => sum + one, 0) < 60)
  const { fit } = fitEvidence(rows, [suspects!], { ...NAMED, robust: true })
  const { ratio } = evidenceWithHindsight(fit, rows)[0]!
  const found = [...ratio.keys()].filter((t) => ratio[t]! > 1)
  t.ok(found.includes(250) && found.includes(410))
  t.ok(found.every((t) => t === 250 || (t > 392 && t < 428)), `${found}`)
  const away = rowsFrom(60, { a: (t) => t % 2 === 0 ? noise() : 50 * noise() })
  t.ok(suspectsOf(away)[0]!.every((flag) => flag === 0), 'wild rows all over are its way')
  const stretches = (length: number): Rows => {
    const noise = noiseOf('stretches')
    return rowsFrom(400, { a: (t) => noise() + (t % 200 >= 50 && t % 200 < 50 + length ? 12 : 0) })
  }
  const share = (length: number): number => countOf(suspectsOf(stretches(length))[0]!) / 400
  t.ok(share(30) > 0.2 && share(30) < 0.3, `${share(30)}`)
  t.equal(share(50), 0, 'of which more than three tenths stand out, is just so')
})

t.test('several series, few rows and excluded rows are fitted', async (t) => {
  const noise = noiseOf('series')
  const whole = fromColumns({ start: 0, interval: HOUR, columns: { a: Array.from({ length: 300 }, () => noise()) } })
  const rows = rowsOf([slice(whole, 0, 200), slice(whole, 200, 300)])
  for (const causal of [false, true]) t.ok(fitted(rows, { causal })[0]!.season!.point > 3)
  const few = rowsFrom(12, { a: () => noise() })
  t.match(fitted(few)[0]!.season, { mean: [null, null], power: [null, null] }, 'too few rows for means')
  const all = few.columns.map((column) => new Uint8Array(column.length).fill(1))
  t.same(fitEvidence(few, all, NAMED).fit.channels, fitted(few), 'if nothing is left, nothing is left out')
})

t.test('gaps and rows before the first level depart from nothing', async (t) => {
  const noise = noiseOf('gaps')
  let walk = 0
  const rows = rowsFrom(400, { a: (t) => t > 200 && t < 210 ? NaN : (walk += noise()) })
  const { fit, residuals } = fitEvidence(rows, [new Uint8Array(400)], { ...NAMED, causal: true })
  t.ok(fit.channels[0]!.baseline.level > 0)
  t.same(new Set([...residuals[0]!.subarray(0, 60), ...residuals[0]!.subarray(201, 210)]), new Set([0]))
  t.ok(residuals[0]!.subarray(300).every((residual) => residual !== 0 && Number.isFinite(residual)))
})

t.test('relations are judged where no related channel is missing, unless such rows are few', async (t) => {
  const gaps = (from: number): ReturnType<typeof completeRows> => {
    const rows = rowsFrom(10, { a: () => 1, b: (t) => t >= from ? NaN : t, other: () => NaN })
    const included = Uint8Array.from({ length: 10 }, (_, t) => t === 0 ? 0 : 1)
    return completeRows(rows, [0, 1], [{ included }])
  }
  t.same([...gaps(4)[0]!], [0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
  t.same([...gaps(3)[0]!], [0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
})

t.test('statistics of the rows that count; 0 of none', async (t) => {
  t.same([...everyIncluded([Uint8Array.of(1, 1, 0), Uint8Array.of(1, 0, 1)])], [1, 0, 0])
  t.same([...everyIncluded([Uint8Array.of(1, 0), Uint8Array.of(0, 1)])], [1, 1], 'if few are left, all count')
  const values = Float64Array.of(3, NaN, 1, 99)
  const counts = Uint8Array.of(1, 1, 1, 0)
  t.same([medianOf(values, counts), meanAbsolute(values, counts, 1)], [2, 1])
  t.same([medianOf, meanAbsolute, spreadOf].map((statistic) => statistic(values, new Uint8Array(4))), [0, 0, 0])
})

t.test('thresholds grow with margin and slack, and none comes from nothing', async (t) => {
  const noise = noiseOf('thresholds')
  const residuals = Float64Array.from({ length: 400 }, noise)
  const options = {
    rate: 1e-5,
    causal: true,
    edges: [0, 400],
    leftOut: 0,
    leftOutSustained: 0,
    mostPeaks: Infinity,
    margin: 1,
    slack: 0,
    least: 0,
  }
  const included = new Uint8Array(400).fill(1)
  const [usual, wider] = [{}, { margin: 2, slack: 1 }].map((other) =>
    thresholdsOf(residuals, included, { ...options, ...other })!)
  t.ok(Math.abs(wider!.point - (2 * usual!.point + 1)) < 1e-9)
  t.equal(thresholdsOf(residuals, included, { ...options, least: 99 })!.point, 99)
  t.equal(thresholdsOf(residuals, new Uint8Array(400), options), null)
})
