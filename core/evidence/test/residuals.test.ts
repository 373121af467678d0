// Residuals in the three views, and what a value was expected to be.
import fc from 'fast-check'
import t from 'tap'
import { fromColumns } from '../../series/series.ts'
import type { Baseline, ChannelEvidence, EvidenceFit } from '../model.ts'
import {
  departureRatio,
  allowancesOf,
  baselineResiduals,
  expectedOf,
  flatten,
  isEqual,
  residualAt,
  standardise,
  usualValue,
  viewResiduals,
} from '../residuals.ts'
import { rowsOf } from '../rows.ts'

/** A fixed level and a cycle of two phases. */
const BASELINE: Baseline = { base: 10, level: 0, multiplicative: false, period: 2, profile: [-1, 3], scale: [1, 2] }
const PLAIN = { baseline: BASELINE, constant: false, pair: null }
const GROWING = { ...PLAIN, baseline: { ...BASELINE, multiplicative: true } }
const CONSTANT = { ...PLAIN, constant: true }
const SWITCHING = { ...PLAIN, pair: [10, 12] } as const

t.test('a residual is measured from level and season, in units of the scale of its phase', async (t) => {
  t.same(residualAt(PLAIN, 0, 25, 20), { residual: 6, unit: 1, usual: 19 })
  t.same(residualAt(PLAIN, 1, 25, 20), { residual: 1, unit: 2, usual: 23 })
  t.same(residualAt(GROWING, 1, 28, 20), { residual: 0.5, unit: 4, usual: 26 }, 'a season that grows with the level')
  t.same(residualAt(GROWING, 1, 28, 0), residualAt(GROWING, 1, 28, 0.5), 'a level near 0 counts as a twentieth')
  for (const channel of [PLAIN, GROWING]) {
    t.same(residualAt(channel, 1, 25, NaN), { residual: 0, unit: 2, usual: 13 }, 'without a level nothing departs')
  }
})

t.test('value = usual value + residual · unit, whatever the level', async () => {
  const level = fc.double({ min: 0.6, max: 1e3, noNaN: true })
  const value = fc.double({ min: -1e3, max: 1e3, noNaN: true })
  fc.assert(fc.property(fc.constantFrom(PLAIN, GROWING), fc.nat(9), value, level, (channel, index, value, level) => {
    const { residual, unit, usual } = residualAt(channel, index, value, level)
    return Math.abs(usual + residual * unit - value) < 1e-9 &&
      Math.abs(expectedOf(value, residual, { unit, usual }) - usual) < 1e-9
  }))
})

t.test('a channel of one or two values departs wholly, or not at all', async (t) => {
  const residualsOf = (channel: Parameters<typeof residualAt>[0], values: number[]): number[] =>
    values.map((value) => residualAt(channel, 1, value, 20).residual)
  t.same(residualsOf(CONSTANT, [10, 10 + 1e-14, 10.1, 9]), [0, 0, 12, -12])
  t.same(residualsOf(SWITCHING, [10, 12, 11, 4, 18, -2, 24]), [0, 0, 0, 0, 0, -24, 24], 'by how far it is off')
  t.same(residualsOf(SWITCHING, [-1e300, 1e300]), [-1e100, 1e100])
  t.same([12, -24].map(departureRatio), [3, 6])
  t.same([4, 11, 11.1, 99].map((value) => usualValue(SWITCHING, value)), [10, 10, 12, 12])
  t.same([usualValue(CONSTANT, 99), usualValue(PLAIN, 99)], [10, undefined])
})

t.test('residuals and expectations stay numbers, however wild a value is', async (t) => {
  t.same([standardise(1e300, 0, 1e-9), standardise(-1e300, 0, 1e-9)], [1e100, -1e100])
  t.equal(expectedOf(-1e308, 1e9, { unit: 1e300, usual: 5 }), -Number.MAX_VALUE)
  t.equal(expectedOf(1e308, -1e9, { unit: 1e300, usual: 5 }), Number.MAX_VALUE)
  t.equal(expectedOf(1e20, 5e19, { unit: 2, usual: 4 }), 4, 'the difference would be rounding')
  t.same([flatten(12, 10, 8, false), flatten(12, 0, 8, true)], [2, 12 / 0.05 - 8])
  t.same([isEqual(0, -0), isEqual(1e9, 1e9 + 1e-6), isEqual(1, 1.001)], [true, true, false])
})

t.test('residuals of a series: 0 where a value is missing, levels from the past or from both sides', async (t) => {
  const a = Array.from({ length: 40 }, (_, i) => i === 7 ? null : 50 + i + (i % 2 === 1 ? 3 : -1))
  const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a } })])
  const of = (level: number, causal: boolean, span = { from: 0, to: 40 }): ReturnType<typeof baselineResiduals> =>
    baselineResiduals({ ...PLAIN, baseline: { ...BASELINE, level } }, rows, { c: 0, span, causal })
  const fixed = of(0, true)
  t.same([...fixed.residuals.subarray(4, 9)], [44, 22.5, 46, 0, 48])
  t.same([fixed.units[7], fixed.usual[7]], [2, 13], 'what is usual is known all the same')
  t.same(of(0, true, { from: 4, to: 9 }).residuals, fixed.residuals.subarray(4, 9))
  const [causal, centred] = [of(8, true), of(8, false)]
  t.equal(causal.residuals[0], 0, 'no level yet')
  t.ok(causal.residuals.subarray(20).every((residual) => Math.abs(residual) < 3))
  t.ok(centred.residuals.every((residual) => Math.abs(residual) < 3))
  t.notSame(causal.usual, centred.usual)
})

const OPEN = { point: 4, mean: [null, null], power: [null, null] }
const NOTHING: ChannelEvidence = {
  ...PLAIN,
  season: OPEN,
  usual: 0,
  own: null,
  relation: null,
  stillness: null,
}

t.test('the other views: from the past, from the values and from the residuals of other channels', async (t) => {
  const columns = { a: [1, 2, 3, 4], b: [2, 4, null, 9], c: [7, 7, 7, 7] }
  const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns })])
  const next = { offset: 0, weights: [1] }
  const own = { forward: next, backward: next, limit: 99, thresholds: OPEN }
  const fit: EvidenceFit = {
    adaptive: false,
    channels: [
      { ...NOTHING, own, relation: null },
      {
        ...NOTHING,
        relation: { prediction: { offset: 0, weights: [2, 0] }, raw: true, factor: 3, thresholds: OPEN },
      },
      NOTHING,
    ],
    related: [0, 1],
    raw: { center: [1, 0], scale: [1, 1] },
  }
  const season = [Float64Array.of(0, 5, 5, 6), Float64Array.of(1, 1, 0, 1), new Float64Array(4)]
  const options = { rows, span: { from: 0, to: 4 }, causal: true }
  const views = viewResiduals(fit, season, options)
  t.equal(views.season, season)
  t.same(views.own, [Float64Array.of(0, 5, 0, 1), null, null])
  t.same(views.relation, [null, Float64Array.of(6, 6, 0, 9), null], '3 · (b − 2 · (a − 1)), 0 where b is missing')
  const [a, b, c] = fit.channels
  const ofResiduals = { ...fit, channels: [a!, { ...b!, relation: { ...b!.relation!, raw: false } }, c!] }
  t.same(viewResiduals(ofResiduals, season, options).relation[1], Float64Array.of(1, -9, 0, -11))
  const part = { ...options, span: { from: 1, to: 3 } }
  const partial = viewResiduals(fit, season.map((all) => all.subarray(1, 3)), part)
  t.same(partial.relation[1], Float64Array.of(6, 0), 'of a span, by its rows')
})

t.test('where a value is missing, a relation to it counts beyond what that value may explain', async (t) => {
  const columns = { a: [1, null, 1, null], b: [2, 2, 9, 9] }
  const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns })])
  const next = { offset: 0, weights: [1] }
  const thresholds = (point: number): typeof OPEN => ({ ...OPEN, point })
  const own = { forward: next, backward: next, limit: 99, thresholds: thresholds(0.5) }
  const relation = { prediction: { offset: 0, weights: [-4, 0] }, raw: false, factor: 1, thresholds: OPEN }
  const fit: EvidenceFit = {
    adaptive: false,
    channels: [{ ...NOTHING, own, season: thresholds(3) }, { ...NOTHING, relation }],
    related: [0, 1],
    raw: { center: [0, 0], scale: [6, 1] },
  }
  t.same(allowancesOf(fit), [null, Float64Array.of(2, 0)], 'the tightest of its thresholds, times the weight')
  const unknown = { ...fit, channels: [{ ...NOTHING, season: null }, fit.channels[1]!] }
  t.ok(allowancesOf(unknown)[1]![0]! > 1e99, 'without thresholds nothing is known')
  const raw = { ...fit, channels: [fit.channels[0]!, { ...NOTHING, relation: { ...relation, raw: true, factor: 5 } }] }
  t.same(allowancesOf(raw)[1]![0], 0.5 * 1.5 / 6 * 4 * 5, 'in units of the values, by the median scale')
  const season = [Float64Array.of(0, 0, 0, 0), Float64Array.of(1, 1, 5, 5)]
  const options = { rows, span: { from: 0, to: 4 }, causal: true, allowances: allowancesOf(fit) }
  t.same(viewResiduals(fit, season, options).relation[1], Float64Array.of(1, 0, 5, 3))
})
