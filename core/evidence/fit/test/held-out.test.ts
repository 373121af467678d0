// Held-out residuals: each block of rows by what the other three blocks say.
import t from 'tap'
import { createRandom } from '../../../random.ts'
import { fromColumns, slice } from '../../../series/series.ts'
import type { ChannelEvidence, EvidenceFit, Rows } from '../../model.ts'
import { fitRelation, ownResiduals, fitOwn, relationResidual } from '../../prediction.ts'
import { standardise, type ViewResiduals } from '../../residuals.ts'
import { rowsOf } from '../../rows.ts'
import { SILENT } from '../../test/channels.ts'
import { heldOutResiduals } from '../held-out.ts'

const OPEN = { point: Infinity, mean: [], power: [] }
const SEASONAL = { ...SILENT, baseline: { ...SILENT.baseline, period: 2, profile: [0, 0], scale: [1, 1] } }
const ALONE = { adaptive: false, related: [], raw: { center: [], scale: [] } }

const noiseOf = (seed: string, length: number): Float64Array => Float64Array.from({ length }, createRandom(seed).normal)
const ones = (length: number): Uint8Array => new Uint8Array(length).fill(1)
const rowsFrom = (...columns: Float64Array[]): Rows =>
  rowsOf([fromColumns({
    start: 0,
    interval: 1000,
    columns: Object.fromEntries(columns.map((column, c) => [`c${c}`, column])),
  })])
const none = (channels: number): Array<Float64Array | null> => Array<null>(channels).fill(null)
const power = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0) / values.length

function holdOut (fit: EvidenceFit, views: ViewResiduals, rows: Rows, included?: Uint8Array[]): ViewResiduals {
  const all = rows.columns.map((column) => ones(column.length))
  return heldOutResiduals(fit, views, { rows, included: included ?? all, causal: true })
}

t.test('from a fixed level, a block departs by what the median of the others says', async (t) => {
  const season = Float64Array.from({ length: 80 }, (_, i) => (i < 20 ? 9 : 1) + i % 2)
  const fitted = (channel: ChannelEvidence): Float64Array => {
    const views = { season: [season], own: none(1), relation: none(1), filled: [] }
    return holdOut({ ...ALONE, channels: [channel] }, views, rowsFrom(season)).season[0]!
  }
  const median = 2
  const middleOfOthers = [1.5, 2, 2, 2]
  t.same(fitted(SILENT), season.map((value, i) => value + median - middleOfOthers[Math.floor(i / 20)]!))
  for (const channel of [SEASONAL, { ...SILENT, constant: true }]) t.same(fitted(channel), season)
})

t.test('a series too short for blocks stays as it is, in new arrays', async (t) => {
  const views = { season: [noiseOf('short', 47)], own: [noiseOf('own', 47)], relation: none(1), filled: [] }
  const held = holdOut({ ...ALONE, channels: [SILENT] }, views, rowsFrom(views.season[0]!))
  t.same(held, views)
  t.not(held.season[0], views.season[0])
})

t.test('a prediction is fitted on the other blocks of all series, and judges its own', async (t) => {
  const values = noiseOf('own', 96)
  const whole = fromColumns({ start: 0, interval: 1000, columns: { a: values } })
  const all = ones(96)
  for (const cuts of [[0, 96], [0, 30, 60, 96]]) {
    const rows = rowsOf(cuts.slice(1).map((to, s) => slice(whole, cuts[s]!, to)))
    const spans = cuts.slice(1).map((to, s) => ({ from: cuts[s]!, to }))
    const own = { ...fitOwn(values, all, { spans, memory: 8 }), thresholds: OPEN }
    const residuals = new Float64Array(96)
    for (const { from, to } of spans) {
      const options = { missing: new Uint8Array(to - from), causal: true }
      residuals.set(ownResiduals(own, values.subarray(from, to), options).residuals, from)
    }
    const fit = { ...ALONE, channels: [{ ...SEASONAL, own }] }
    const views = { season: [values], own: [residuals], relation: none(1), filled: [] }
    const held = holdOut(fit, views, rows).own[0]!
    t.ok(power(held) > 1.1 * power(residuals), `unseen noise is less expected: ${power(held)}, ${power(residuals)}`)
    t.same([...held.subarray(0, 8)], [0, 0, 0, 0, 0, 0, 0, 0], 'without a past nothing is expected')
    const few = all.slice().fill(0, 23)
    t.same(holdOut(fit, views, rows, [few]).own[0], residuals, 'too few rows outside: as all rows say')
  }
})

t.test('a relation is fitted on the other blocks, by values or by residuals', async (t) => {
  const a = noiseOf('a', 80)
  const b = Float64Array.from(a, (value, i) => i < 20 ? -value : value)
  const raw = { center: [1, 2], scale: [2, 4] }
  for (const isRaw of [false, true]) {
    const columns = [a, b].map((all, j) =>
      isRaw ? all.map((value) => standardise(value, raw.center[j]!, raw.scale[j]!)) : all)
    const factor = isRaw ? 3 : 1
    const relations = fitRelation(columns, ones(80))
      .map((prediction) => ({ prediction, raw: isRaw, factor, thresholds: OPEN }))
    const relation = relations.map(({ prediction }, j) =>
      Float64Array.from(a, (_, t) => factor * relationResidual(prediction, columns.map((column) => column[t]!), j)))
    const channels = [{ ...SEASONAL, relation: relations[0]! }, { ...SEASONAL, relation: relations[1]! }]
    const fit = { adaptive: false, channels, related: [0, 1], raw }
    const held = holdOut(fit, { season: [a, b], own: none(2), relation, filled: [a, b] }, rowsFrom(a, b)).relation[1]!
    const clean = fitRelation(columns, ones(80).fill(0, 0, 20))[1]!
    const wanted = (t: number): number => factor * relationResidual(clean, columns.map((column) => column[t]!), 1)
    const first = held.subarray(0, 20)
    t.ok(first.every((residual, t) => Math.abs(residual - wanted(t)) < 1e-9), 'the first by the other three')
    t.ok(power(first) > 1.4 * power(relation[1]!.subarray(0, 20)), 'which do not know its relation')
    const alone = { ...fit, channels: [channels[0]!, SEASONAL] }
    const one = { season: [a, b], own: none(2), relation: [relation[0]!, null], filled: [a, b] }
    t.equal(holdOut(alone, one, rowsFrom(a, b)).relation[1], null, 'a channel without one gets none')
  }
})

t.test('where too few rows teach a relation of many channels, it stays that of all rows', async (t) => {
  const columns = Array.from({ length: 8 }, (_, c) => noiseOf(`many ${c}`, 48))
  const relation = columns.map(() => noiseOf('relation', 48))
  const prediction = { offset: 0, weights: Array<number>(8).fill(0) }
  const fit = {
    adaptive: false,
    channels: columns.map(() => ({ ...SEASONAL, relation: { prediction, raw: false, factor: 1, thresholds: OPEN } })),
    related: columns.map((_, c) => c),
    raw: { center: Array<number>(8).fill(0), scale: Array<number>(8).fill(1) },
  }
  const views = { season: columns, own: none(8), relation, filled: columns }
  const included = (from: number): Uint8Array[] => columns.map(() => ones(48).fill(0, 0, from))
  const held = [32, 31].map((from) => holdOut(fit, views, rowsFrom(...columns), included(from)).relation[0]!)
  t.same(held[0]!.subarray(0, 12), relation[0]!.subarray(0, 12), '16 rows for 8 channels')
  t.notSame(held[1]!.subarray(0, 12), relation[0]!.subarray(0, 12), '17 rows')
})
