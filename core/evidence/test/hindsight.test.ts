// Evidence with hindsight of hand-made channels: where it begins and ends.
import t from 'tap'
import { fromColumns } from '../../series/series.ts'
import { evidenceWithHindsight, strongestRatio } from '../hindsight.ts'
import { type ChannelEvidence, type EvidenceFit, evidenceOf, type Rows } from '../model.ts'
import { rowsOf } from '../rows.ts'
import { BASELINE, fitOf, pointsAbove, rowsFrom } from './channels.ts'

interface Judged {
  readonly ratio: Float64Array
  readonly expected: Float64Array
  readonly departure: Float64Array
  /** Rows with evidence, by its kind and view. */
  readonly found: Record<string, number[]>
}

function judge (fit: EvidenceFit, rows: Rows, given?: readonly Float64Array[]): Judged[] {
  return evidenceWithHindsight(fit, rows, given).map(({ ratio, code, expected, departure }) => {
    const found: Record<string, number[]> = {}
    ratio.forEach((value, i) => {
      const { kind, view } = evidenceOf(code[i]!)
      if (value > 1) (found[`${kind} ${view}`] ??= []).push(i)
    })
    return { ratio, expected, departure, found }
  })
}

const judgeOne = (channel: Partial<ChannelEvidence>, values: readonly number[]): Judged =>
  judge(fitOf(channel), rowsFrom(values))[0]!
const times = (count: number, value: number): number[] => Array<number>(count).fill(value)
const between = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
/** Zeros, with values from row 30 on. */
const zeros = (...values: readonly number[]): number[] => [...times(30, 0), ...values, ...times(30, 0)]

t.test('a point is evidence on its row alone', async (t) => {
  const { ratio, found, expected, departure } = judgeOne({ season: pointsAbove(5) }, [1, 6, -10, NaN, 1])
  t.same([...ratio], [0.2, 1.2, 2, 0, 0.2])
  t.same(found, { 'point season': [1, 2] })
  t.same([...expected], [0, 0, 0, -4.5, 0], 'a gap is expected to be as it is filled')
  t.same([...departure], [1, 6, 10, 0, 1])
})

t.test('a sustained level is told on its own rows, the more the higher they are', async (t) => {
  for (const sign of [1, -1]) {
    for (const mean of [[1, null], [null, 1], [1, 1]]) {
      const level = [3, 3, 1.5, 3, 3, 3, 3, 3, 3, 3].map((value) => sign * value)
      const { ratio, found } = judgeOne({ season: { ...pointsAbove(5), mean } }, zeros(...level))
      t.same(found, { 'mean season': between(30, 39) }, `${mean}`)
      t.ok(ratio[32]! < ratio[31]!, 'less where it is lower')
      t.ok(ratio[29]! <= 0.99, 'the mean before it carries none')
    }
  }
  const spiked = judgeOne({ season: { ...pointsAbove(5), mean: [1, null] } }, zeros(4.9))
  t.same(spiked.found, {}, 'one spike is no level')
  const edge = judgeOne({ season: { ...pointsAbove(5), mean: [1, null] } }, [...times(8, 3), ...times(20, 0)])
  t.same(edge.found, { 'mean season': between(0, 7) }, 'from the first row on')
})

t.test('power is told where values swing, however small their mean', async (t) => {
  const swings = Array.from({ length: 20 }, (_, i) => 2.9 * (-1) ** i)
  const { found } = judgeOne({ season: { ...pointsAbove(5), mean: [2, 1], power: [1.5, 1.5] } }, zeros(...swings))
  t.same(found, { 'power season': between(30, 49) })
})

t.test('of several views the strongest tells, and without evidence the tightest expects', async (t) => {
  const next = { offset: 0, weights: [1] }
  const own = { forward: next, backward: next, limit: 99, thresholds: pointsAbove(2) }
  const relation = { prediction: { offset: 0, weights: [0, 0.5] }, raw: false, factor: 1, thresholds: pointsAbove(1) }
  const fit = { ...fitOf({ season: pointsAbove(4), own }, { relation }), related: [0, 1] }
  const rows = rowsFrom([3, 3, 9, 3, 3], [0, 0, 0, 4, 0])
  const [first, second] = judge({ ...fit, raw: { center: [0, 0], scale: [1, 1] } }, rows)
  t.same(first!.found, { 'point own': [2] }, 'a spike stays on its row')
  t.same([...first!.expected], [3, 3, 3, 3, 3])
  t.same(second!.found, { 'point relation': [3] })
  t.same([...second!.expected], [0, 0, 0, 2, 0])
})

t.test('a channel of one or two values: departures are news, but no habit', async (t) => {
  const baseline = { ...BASELINE, base: 7 }
  const one = judgeOne({ baseline, constant: true }, [7, 9, 9, 7, 5, 7])
  t.same(one.found, { 'departure season': [1, 2, 4] })
  t.same([...one.ratio], [0, 3, 3, 0, 3, 0])
  t.same(new Set(one.expected), new Set([7]))
  t.same(judgeOne({ baseline, constant: true }, [7, 9, 7, 9, 7, 9]).found, {})
  const pair = judgeOne({ baseline, pair: [7, 9] }, [7, 9, 30, 9])
  t.same([pair.found, [...pair.expected]], [{ 'departure season': [2] }, [7, 9, 9, 9]])
})

const STILLNESS = { frozenAfter: 4, usualStep: 2, meanStep: 2, quietAbove: 1 }

t.test('a frozen run is told from its start, without the ends that a season expects', async (t) => {
  const values = Array.from({ length: 40 }, (_, i) => i >= 12 && i < 22 ? 5 : i % 2 * 3)
  const { found } = judgeOne({ stillness: STILLNESS }, values)
  t.same(found, { 'frozen season': between(13, 21) })
  const profile = Array.from({ length: 40 }, (_, i) => (i >= 10 && i < 16) || i === 21 ? 5 : 0)
  const baseline = { ...BASELINE, period: 40, profile, scale: times(40, 1) }
  t.same(judgeOne({ baseline, stillness: STILLNESS }, values).found, { 'frozen season': between(16, 20) })
  const whole = { ...baseline, profile: times(40, 5) }
  t.same(judgeOne({ baseline: whole, stillness: STILLNESS }, values).found, {}, 'a channel that rests every night')
})

t.test('a quiet stretch is told, unless it is short and a point tells it better', async (t) => {
  const quiet = (length: number, peak: number): string[] => {
    const profile = times(120, 0).with(peak, 9)
    const values = profile.map((value, i) => i >= 30 && i < 30 + length ? 1 + i % 2 / 10 : value + i % 2 * 2)
    const baseline = { ...BASELINE, period: 120, profile, scale: times(120, 1) }
    return Object.keys(judgeOne({ baseline, season: pointsAbove(5), stillness: STILLNESS }, values).found).sort()
  }
  t.same(quiet(25, 100), ['quiet season'])
  t.same(quiet(25, 42), ['point season'], 'a peak that does not come makes it quiet')
  t.same(quiet(60, 42), ['quiet season'], 'but not for so long')
})

t.test('what departs most of the time is usual in an adaptive fit', async (t) => {
  const rows = rowsFrom([...times(10, 1), ...times(900, 10)])
  const fit = fitOf({ season: pointsAbove(5) })
  t.ok(judge(fit, rows)[0]!.ratio.subarray(10).every((ratio) => ratio === 2))
  const { ratio } = judge({ ...fit, adaptive: true }, rows)[0]!
  t.ok(ratio[909]! < 1)
  t.equal(ratio[0], 0.2, 'what is no evidence stays')
})

t.test('series do not touch, and given residuals stand for those of the model', async (t) => {
  const fit = fitOf({ season: { ...pointsAbove(5), mean: [2, null] } })
  const series = [[0, 0, 0, 0, 3, 3], [3, 3, 0, 0, 0, 0]]
    .map((a) => fromColumns({ start: 0, interval: 1000, columns: { a } }))
  t.same(judge(fit, rowsOf(series))[0]!.found, {})
  t.same(judge(fit, rowsFrom([0, 0, 0, 0, 3, 3, 3, 3, 0, 0, 0, 0]))[0]!.found, { 'mean season': between(4, 7) })
  const given = [Float64Array.of(...times(7, 0), 8, ...times(4, 0))]
  const [other] = judge(fit, rowsOf(series), given)
  t.same([other!.found, other!.departure[7]], [{ 'point season': [7] }, 8])
})

t.test('the strongest channel of each row counts', async (t) => {
  const found = [{ ratio: [1, 4, 0] }, { ratio: [2, 3, 0] }]
  t.same([...strongestRatio(found, 3)], [2, 4, 0])
  t.same([...strongestRatio([], 2)], [0, 0])
})
