// Which patterns are smears of evidence, with hindsight and causally, and what remains of them without it.
import t from 'tap'
import { evidenceWithHindsight } from '../../evidence/hindsight.ts'
import { rowsOf } from '../../evidence/rows.ts'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { patternBeforeLevel } from '../../scoring/pattern-hindsight.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { remainderOf } from '../remainder.ts'
import { detectBatch } from '../hindsight.ts'
import { PatternGate, reachOf, shutPatterns } from '../smears.ts'

/** 40 zeros, and values in some places. */
function row (places: Record<number, number>): Float64Array {
  const values = new Float64Array(40)
  for (const [t, value] of Object.entries(places)) values[Number(t)] = value
  return values
}
const run = (from: number, to: number, value: number): Record<number, number> =>
  Object.fromEntries(Array.from({ length: to - from + 1 }, (_, i) => [from + i, value]))

const reach = { reach: reachOf({ windowLength: 4 }, 6), smoothing: 6 }
const placesOf = (shut: Uint8Array): number[] => [...shut].flatMap((isShut, t) => isShut === 1 ? [t] : [])
const neverAsked = (): Float64Array => {
  throw new Error('asked for a remainder that does not matter')
}

t.test('with hindsight, brief peaks and smears are not told; a pattern that is stronger or longer is', async (t) => {
  const shutIn = (pattern: Float64Array, ratio: Float64Array): number[] =>
    placesOf(shutPatterns(pattern, ratio, { ...reach, channels: 2 }, neverAsked))
  t.same(shutIn(row({ 5: 2, ...run(20, 23, 2) }), row({})), [5], 'only a brief peak')
  t.same(shutIn(row(run(20, 25, 2)), row({ 15: 3 })), [20, 21, 22, 23, 24, 25], 'a smear of evidence before')
  t.same(shutIn(row(run(20, 25, 9)), row({ 15: 3 })), [], 'three times as strong')
  t.same(shutIn(row(run(20, 25, 2)), row({ 2: 3 })), [], 'too far away')
  t.same(shutIn(row(run(10, 32, 2)), row({ 15: 3 })), [], 'longer than a smear')
  t.same(shutIn(row({ 15: 9 }), row({ 15: 3 })), [], 'brief, but on evidence')
  t.same(shutIn(row(run(20, 25, 16)), row({ 15: 999 })), [], 'evidence beyond all measure hides no pattern of several')
})

t.test('a pattern of a lone channel that stays without the evidence is no smear of it', async (t) => {
  const pattern = row(run(20, 25, 2))
  const shutIn = (remains: Float64Array): number[] =>
    placesOf(shutPatterns(pattern, row({ 18: 3 }), { ...reach, channels: 1 }, (stretches) => {
      t.match(stretches, [{ from: 20, to: 25 }])
      return remains
    }))
  t.same(shutIn(row(run(20, 25, 0.5))), [20, 21, 22, 23, 24, 25], 'the evidence was all of it')
  t.same(shutIn(row({ ...run(20, 22, 1.9), ...run(23, 25, 1.5) })), [23, 24, 25], 'where it stays, it is told')
  t.same(shutIn(row(run(20, 25, 9))), [20, 21, 22, 23, 24, 25], 'taking it out made a break')
  t.same(shutIn(new Float64Array(40).fill(NaN)), [20, 21, 22, 23, 24, 25], 'not scored')
  t.same(placesOf(shutPatterns(row({}), row({ 18: 3 }), { ...reach, channels: 1 }, neverAsked)), [])
})

t.test('a wild value of a valve is told on its row, however wild', async (t) => {
  for (const wild of [5, 60]) {
    const valve = Float64Array.from({ length: 1000 }, (_, i) => i === 600 ? wild : Math.floor(i / 40) % 2)
    const series = fromColumns({ start: 0, interval: 60_000, columns: { valve } })
    const { model, autoencoders } = await fitAdHoc(series)
    const { score } = detectBatch(model, autoencoders, series)
    t.same(Array.from(score).flatMap((value, i) => value > 1 ? [i] : []), [600], `${wild}`)
  }
})

t.test('causally, too, and a lone channel repeats its evidence for longer', async (t) => {
  const gate = (channels: number): PatternGate => new PatternGate({ reach: 10, smoothing: 8, channels })
  const told = (of: PatternGate, pattern: Float64Array, ratio: Float64Array): number[] =>
    Array.from(pattern, (value, t) => of.isShut(value, ratio[t]!)).flatMap((isShut, t) =>
      !isShut && pattern[t]! > 1 ? [t] : []
    )
  t.same(told(gate(2), row({ 5: 2, ...run(20, 23, 2) }), row({})), [22, 23], 'a quarter of the mean is brief')
  t.same(told(gate(2), row(run(10, 24, 2)), row({ 9: 3 })), [20, 21, 22, 23, 24], 'a smear reaches so far')
  t.same(told(gate(2), row(run(10, 14, 4)), row({ 9: 3 })), [12, 13, 14], 'stronger than the evidence')
  t.same(told(gate(1), row(run(10, 14, 4)), row({ 9: 3 })), [], 'of a lone channel it must be four times as strong')
  const first = gate(2)
  told(first, row(run(10, 39, 2)), row({ 35: 3 }))
  const second = gate(2)
  second.restore(first.save())
  t.same(second.save(), first.save())
  t.equal(second.isShut(2, 0), first.isShut(2, 0))
})

t.test('the remainder: the pattern scores of the series without its evident values, on stretches of it', async (t) => {
  const wave = (spikes: readonly number[]): Series => fromColumns({
    start: 0,
    interval: 60_000,
    columns: { a: Float64Array.from({ length: 900 }, (_, i) => Math.sin(i / 7) + (spikes.includes(i) ? 9 : 0)) },
  })
  const spikes = [300, 320, 600]
  const series = wave(spikes)
  const { model, autoencoders } = await fitAdHoc(wave([]))
  const evidence = evidenceWithHindsight(model.evidence.batch!, rowsOf([series]))
  for (const at of spikes) t.ok(evidence[0]!.ratio[at]! > 1, `${at} is evident`)
  const found = { model, autoencoders, series, evidence }
  const stretches = [{ from: 280, to: 310 }, { from: 312, to: 330 }, { from: 890, to: 899 }]
  const remains = remainderOf(found, stretches)
  const whole = remainderOf(found, [{ from: 0, to: 899 }])
  const before = patternBeforeLevel(model, autoencoders, series).score
  for (const { from, to } of stretches) {
    t.same(remains.slice(from, to + 1), whole.slice(from, to + 1), 'bit for bit as on the whole series')
  }
  t.ok(remains[300]! < 0.2 * before[300]!, `${remains[300]} of ${before[300]}`)
  t.ok(Number.isNaN(remains[600]!), 'far from all stretches')
  const { score } = detectBatch(model, autoencoders, series)
  const repeated = Array.from(score).flatMap((value, i) => before[i]! > 1 && value <= 1 ? [i] : [])
  t.ok(repeated.length > 0, 'the pattern scores around a spike only repeat it')
  const told = Array.from(score.subarray(200, 700)).flatMap((value, i) => value > 1 ? [200 + i] : [])
  t.same(told, spikes, 'the spikes alone are told')
})
