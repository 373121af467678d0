// Causal evidence of hand-made channels, row by row.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../random.ts'
import { DEPARTURE_MEMORY } from '../departures.ts'
import { GUARD_MEMORY } from '../guard.ts'
import { type ChannelEvidence, emptyRatios, type EvidenceFit, evidenceOf } from '../model.ts'
import { EvidenceStream, memoryOf } from '../stream.ts'
import { trustMemory } from '../trust.ts'
import { BASELINE, fitOf, pointsAbove } from './channels.ts'

interface Judged {
  readonly ratio: number
  readonly kind: string
  readonly expected: number
}

/** What a stream says of rows, by channel; NaN is missing, and the value before it stands there. */
function judge (
  fit: EvidenceFit,
  columns: ReadonlyArray<readonly number[]>,
  { stream = new EvidenceStream(fit), from = 0, to = columns[0]!.length } = {}
): Judged[][] {
  const out = emptyRatios(columns.length)
  const held = columns.map(() => 0)
  return columns[0]!.slice(0, to).flatMap((_, index) => {
    columns.forEach((column, c) => { if (!Number.isNaN(column[index]!)) held[c] = column[index]! })
    if (index < from) return []
    stream.next({ index, values: held, missing: columns.map((column) => Number.isNaN(column[index]!) ? 1 : 0) }, out)
    return [columns.map((_, c) => {
      const { kind, view } = evidenceOf(out.code[c]!)
      return { ratio: out.ratio[c]!, kind: out.ratio[c]! > 1 ? `${kind} ${view}` : '', expected: out.expected[c]! }
    })]
  })
}

const judgeOne = (channel: Partial<ChannelEvidence>, values: readonly number[]): Judged[] =>
  judge(fitOf(channel), [values]).map(([one]) => one!)
const kindsOf = (judged: readonly Judged[]): string[] => judged.map(({ kind }) => kind)
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value)

t.test('a point is evidence beyond its threshold', async (t) => {
  const judged = judgeOne({ season: pointsAbove(5) }, [1, 6, -10, 5, NaN])
  t.same(judged.map(({ ratio }) => ratio), [0.2, 1.2, 2, 1, 0])
  t.same(kindsOf(judged), ['', 'point season', 'point season', '', ''])
  t.same(judged.map(({ expected }) => expected), [0, 0, 0, 0, 5], 'a gap is expected to be as it is filled')
})

t.test('a mean counts as long as its newest quarter carries it', async (t) => {
  const channel = { season: { ...pointsAbove(5), mean: [2, null] } }
  const judged = judgeOne(channel, [...times(5, 2.5), 0, 0])
  t.same(kindsOf(judged), ['', '', '', '', 'mean season', '', ''])
  t.equal(judged[4]!.ratio, 1.25)
  const bounded = judgeOne(channel, [...times(4, -4.9), 0])
  t.same(bounded.map(({ ratio }) => ratio).slice(3), [1.2, 0.99], 'bounded to 3, and over once its end is calm')
})

t.test('power counts where the mean tells nothing, as long as it goes on', async (t) => {
  const channel = { season: { ...pointsAbove(5), power: [null, 2] } }
  const judged = judgeOne(channel, [...Array.from({ length: 17 }, (_, i) => 2.9 * (-1) ** i), 0, 0, 0])
  t.same(kindsOf(judged).slice(7), ['', ...times(10, 'power season'), 'power season', ''])
  t.equal(judged[19]!.ratio, 0.99)
})

t.test('of several views the strongest tells, and without evidence the tightest expects', async (t) => {
  const next = { offset: 1, weights: [0, 0.5] }
  const own = { forward: next, backward: next, limit: 4, thresholds: pointsAbove(2) }
  const judged = judgeOne({ season: pointsAbove(5), own }, [4, 4, 3, 8, 9, NaN, 20])
  t.same(kindsOf(judged), ['', '', '', 'point own', 'point own', '', 'point own'])
  t.same(judged.map(({ expected }) => expected), [4, 4, 3, 2.5, 3, 9, 2.5], 'a gap is taken as what was expected')
  const anew = judgeOne({ season: pointsAbove(5), own }, [4, 4, NaN, NaN, 20])
  t.match(anew[4], { kind: 'point season', expected: 0 }, 'it begins anew after a gap as long as its memory')
  t.same(kindsOf(judgeOne({ season: pointsAbove(1), own }, [4])), ['point season'], 'no own prediction without a past')
})

t.test('channels are compared by values or by residuals, only where they are related', async (t) => {
  const related = (raw: boolean): EvidenceFit => ({
    ...fitOf({}, {}, {
      relation: { prediction: { offset: 0, weights: [1, 0] }, raw, factor: 2, thresholds: pointsAbove(4) },
    }),
    related: [0, 2],
    raw: { center: [1, 0], scale: [1, 1] },
  })
  const columns = [[1, 1, 5, NaN], [50, 50, 50, 50], [1, 6, 6, 6]]
  const last = (fit: EvidenceFit): Judged[] => judge(fit, columns).map((row) => row[2]!)
  t.same(last(related(false)).map(({ ratio }) => ratio), [0, 1.25, 0.25, 0], 'beside a gap less is sure')
  t.same(last(related(true)).map(({ ratio }) => ratio), [0.5, 3, 1, 0])
  t.same(kindsOf(last(related(true))), ['', 'point relation', '', ''])
  t.equal(last(related(false))[1]!.expected, 1)
  t.ok(judge(related(true), columns).every(([first, second]) => first!.ratio === 0 && second!.ratio === 0))
})

t.test('a channel of one or two values: departures are news, until they are a habit', async (t) => {
  const baseline = { ...BASELINE, base: 7 }
  const constant = judgeOne({ baseline, constant: true }, [7, 9, 7, 5, 7, 9])
  t.same(kindsOf(constant), ['', 'departure season', '', 'departure season', '', ''])
  t.equal(constant[1]!.ratio, 3)
  t.same(new Set(constant.map(({ expected }) => expected)), new Set([7]))
  const pair = judgeOne({ baseline, pair: [7, 9] }, [7, 9, 30, NaN])
  t.same(kindsOf(pair), ['', '', 'departure season', ''])
  t.same(pair.map(({ expected }) => expected), [7, 9, 9, 9])
  t.equal(pair[2]!.ratio, 10.5, 'the farther, the stronger')
})

t.test('what always departs becomes usual in an adaptive fit, and in no other', async (t) => {
  const values = times(GUARD_MEMORY, 10)
  const fit = fitOf({ season: pointsAbove(5) })
  t.ok(judge(fit, [values]).every(([one]) => one!.ratio === 2))
  const adaptive = judge({ ...fit, adaptive: true }, [values]).map(([one]) => one!.ratio)
  t.ok(adaptive[0] === 2 && adaptive.at(-1)! < 1, `${adaptive.at(-1)}`)
})

t.test('a found cycle whose phase is lost is trusted less; a level needs half of its rows', async (t) => {
  const baseline = { ...BASELINE, period: 4, profile: [0, 3, 0, -3], scale: [1, 1, 1, 1] }
  const shifted = Array.from({ length: 80 }, (_, i) => baseline.profile[(i + (i < 40 ? 0 : 2)) % 4]!)
  const trusted = judgeOne({ baseline, season: pointsAbove(2), usual: 0.1 }, shifted)
  t.same(kindsOf(trusted).slice(40, 44), ['', 'point season', '', 'point season'])
  t.ok(kindsOf(trusted).slice(60).every((kind) => kind === ''))
  t.ok(kindsOf(judgeOne({ baseline, season: pointsAbove(2) }, shifted)).slice(60).includes('point season'))
  const level = judgeOne({ baseline: { ...BASELINE, level: 16 }, season: pointsAbove(2) }, [...times(30, 50), 60])
  t.same(kindsOf(level), [...times(30, ''), 'point season'])
  t.equal(level[30]!.expected, 50)
})

const STILLNESS = { frozenAfter: 2, usualStep: 2, meanStep: 2, quietAbove: 1 }

t.test('frozen and quiet are told, but not where a season rests or a point tells it better', async (t) => {
  const wave = (i: number): number => i % 2
  const frozen = judgeOne({ stillness: STILLNESS }, [5, 5, 5, 5, 1])
  t.same(kindsOf(frozen), ['', '', '', 'frozen season', ''])
  t.same(kindsOf(judgeOne({}, [5, 5, 5, 5])), ['', '', '', ''], 'without a threshold nothing is')
  const resting = { ...BASELINE, period: 2, profile: [5, 5], scale: [1, 1] }
  t.same(kindsOf(judgeOne({ baseline: resting, stillness: STILLNESS }, times(6, 5))), times(6, ''))
  t.ok(kindsOf(judgeOne({ baseline: resting, stillness: STILLNESS }, times(6, 4))).includes('frozen season'))
  const calm = Array.from({ length: 60 }, (_, i) => i < 20 ? 2 * wave(i) : wave(i) / 10)
  const quiet = kindsOf(judgeOne({ season: pointsAbove(5), stillness: STILLNESS }, calm))
  t.same([...new Set(quiet)], ['', 'quiet season'])
  const first = quiet.indexOf('quiet season')
  const spiked = calm.with(first + 2, 9)
  const after = kindsOf(judgeOne({ season: pointsAbove(5), stillness: STILLNESS }, spiked)).slice(first, first + 22)
  t.same(after.slice(0, 3), ['quiet season', 'quiet season', 'point season'])
  t.ok(after.slice(3, 19).every((kind) => kind === ''), 'not for a span after the point')
})

/** Everything that a channel can remember. */
const RICH: EvidenceFit = (() => {
  const thresholds = { point: 4, mean: [2, 1.5], power: [2.5, 2] }
  const next = { offset: 0, weights: [0.2, 0.5] }
  const relation = (weights: number[], raw: boolean): object =>
    ({ relation: { prediction: { offset: 0, weights }, raw, factor: 1, thresholds } })
  const own = { own: { forward: next, backward: next, limit: 9, thresholds } }
  const cycle = { ...BASELINE, level: 8, period: 3, profile: [0, 1, -1], scale: [1, 2, 1] }
  return {
    ...fitOf(
      { season: thresholds, usual: 1, baseline: cycle, stillness: STILLNESS, ...own, ...relation([0, 1], false) },
      { season: thresholds, ...relation([1, 0], true) },
      { constant: true },
      { pair: [0, 1] }
    ),
    adaptive: true,
    related: [0, 1],
    raw: { center: [0, 0], scale: [1, 2] },
  }
})()

t.test('a stream goes on from its saved numbers, wherever it was cut', async (t) => {
  const random = createRandom('cut')
  const columns = [4, 3, 1, 1].map((size, c) => Array.from({ length: 60 }, () => random.integer(9) === 0
    ? NaN
    : c < 2 ? size * random.normal() : random.integer(12) === 0 ? 5 : 0))
  const whole = judge(RICH, columns)
  t.ok(new Set(whole.flat().map(({ kind }) => kind)).size > 3, 'there is evidence of many kinds')
  fc.assert(fc.property(fc.nat(60), (cut) => {
    const [first, second] = [new EvidenceStream(RICH), new EvidenceStream(RICH)]
    const before = judge(RICH, columns, { stream: first, to: cut })
    second.restore(structuredClone(first.save()))
    return isDeepStrictEqual([...before, ...judge(RICH, columns, { stream: second, from: cut })], whole)
  }))
  const saved = new EvidenceStream(RICH).save()
  for (const other of [saved.slice(1), Float64Array.of(...saved, 0)]) {
    t.throws(() => { new EvidenceStream(RICH).restore(other) }, RangeError)
  }
})

t.test('the memory is that of the part that remembers longest', async (t) => {
  const cycle = { ...BASELINE, period: 1000 }
  t.same([
    fitOf({}),
    fitOf({}, { baseline: { ...BASELINE, level: 700 } }),
    fitOf({ baseline: cycle }),
    fitOf({ baseline: cycle, usual: 1 }, {}),
    fitOf({ constant: true }, {}),
    fitOf({}, { pair: [0, 1] }),
  ].map(memoryOf), [GUARD_MEMORY, 700, GUARD_MEMORY, trustMemory(1000), DEPARTURE_MEMORY, DEPARTURE_MEMORY])
})
