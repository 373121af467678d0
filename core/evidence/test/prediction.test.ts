// Predictions of a value from its past, its future, and other channels.
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../random.ts'
import {
  beyondMissing,
  boundedBy,
  boundForFit,
  fitOwn,
  fitRelation,
  forwardResidual,
  memoryFor,
  ownResiduals,
  relationResidual,
} from '../prediction.ts'

const ones = (length: number): Uint8Array => new Uint8Array(length).fill(1)
const whole = (values: Float64Array): Array<{ from: number, to: number }> => [{ from: 0, to: values.length }]

const NONE = new Uint8Array(30)
const past = { missing: NONE, causal: true }
const pastAndFuture = { missing: NONE, causal: false }

/** Each value is 0.8 of the one before and noise. */
function sluggish (length: number): Float64Array {
  const { normal } = createRandom('sluggish')
  let past = 0
  return Float64Array.from({ length }, () => (past = 0.8 * past + normal()))
}

t.test('residuals are bounded for a fit, but never below 4', async (t) => {
  const values = Float64Array.from({ length: 100 }, (_, i) => i - 50)
  t.same(boundedBy(2, Float64Array.of(1, -3, 2.5)), Float64Array.of(1, -2, 2))
  t.same(boundForFit(Float64Array.of(9, -9, 1), Uint8Array.of(0, 0, 1)), Float64Array.of(4, -4, 1))
  t.same(boundForFit(Float64Array.of(9, -1), new Uint8Array(2)), Float64Array.of(4, -1), 'no value counts')
  t.same(boundForFit(values, ones(100)), values, 'one and a half times the 99th percentile')
  const wild = values.with(0, 1e9)
  t.ok(Math.abs(boundForFit(wild, ones(100))[0]! - 1.5 * (49 + 0.01 * (1e9 - 49))) < 0.001)
})

t.test('the memory is a twelfth of the rows, from 1 to 16', async (t) => {
  t.same([1, 12, 24, 60, 192, 1e6].map(memoryFor), [1, 1, 2, 5, 16, 16])
})

t.test('a sluggish channel is told by its past and its future, about as it was made', async (t) => {
  const values = sluggish(3000)
  const own = fitOwn(values, ones(3000), { spans: whole(values), memory: 2 })
  const [early, late] = own.forward.weights
  t.ok(Math.abs(late! - 0.8) < 0.1 && Math.abs(early!) < 0.1, `${own.forward.weights}`)
  t.ok(Math.abs(own.backward.weights[0]! - 0.8) < 0.1, `${own.backward.weights}`)
  t.equal(own.limit, 3 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0))
})

t.test('only clean windows within a series teach, unless they are too few', async (t) => {
  const values = Float64Array.from({ length: 60 }, (_, i) => i < 30 ? i % 2 : 5)
  const options = { spans: whole(values), memory: 1 }
  const alternating = { spans: [{ from: 0, to: 30 }], memory: 1 }
  const first = ones(60).fill(0, 30)
  const fitted = fitOwn(values, first, options)
  t.same(fitted.forward, fitOwn(values, ones(60), alternating).forward)
  t.ok(fitted.forward.weights[0]! < -0.9)
  t.same(fitOwn(values, ones(60).fill(0, 3), options), fitOwn(values, ones(60), options), 'two windows are too few')
  t.notSame(fitOwn(values, ones(60).fill(0, 4), options), fitOwn(values, ones(60), options), 'three are enough')
  const cut = { spans: [{ from: 0, to: 29 }, { from: 29, to: 30 }], memory: 1 }
  t.notSame(fitOwn(values, ones(60), cut).forward, fitted.forward, 'no window reaches from one series to the next')
})

t.test('with hindsight the nearer of past and future counts, and a spike stays on its row', async (t) => {
  const own = { forward: { offset: 0, weights: [1] }, backward: { offset: 0, weights: [1] }, limit: 3 }
  const spiked = Float64Array.of(1, 1, 9, 1, 1, 1)
  const causal = ownResiduals(own, spiked, past).residuals
  t.same(causal, Float64Array.of(0, 0, 8, -2, 0, 0), 'bounded, it hardly misleads the next')
  t.same(ownResiduals(own, spiked, pastAndFuture).residuals, Float64Array.of(0, 0, 8, 0, 0, 0))
  t.same(ownResiduals(own, Float64Array.of(5), pastAndFuture).residuals, Float64Array.of(0), 'too short')
})

t.test('residuals of a run are those of each row, and hindsight never enlarges one', async () => {
  const value = fc.integer({ min: -50, max: 50 })
  const prediction = (memory: number): fc.Arbitrary<{ offset: number, weights: number[] }> =>
    fc.record({ offset: value, weights: fc.array(value, { minLength: memory, maxLength: memory }) })
  const owns = fc.integer({ min: 1, max: 5 })
    .chain((memory) => fc.record({ forward: prediction(memory), backward: prediction(memory), limit: fc.nat(60) }))
  fc.assert(fc.property(owns, fc.array(value, { maxLength: 30, size: 'max' }), (own, list) => {
    const values = Float64Array.from(list)
    const bounded = boundedBy(own.limit, values)
    const memory = own.forward.weights.length
    const causal = ownResiduals(own, values, past).residuals
    const both = ownResiduals(own, values, pastAndFuture).residuals
    return list.every((value, i) => {
      const wanted = i < memory ? 0 : forwardResidual(own.forward, bounded, value, i)
      if (causal[i] !== wanted) return false
      if (list.length <= memory || i >= list.length - memory) return both[i] === wanted
      const back = forwardResidual(own.backward, bounded, value, i + memory + 1)
      return both[i] === (i < memory || Math.abs(back) <= Math.abs(wanted) ? back : wanted)
    })
  }))
})

t.test('a prediction goes on through a gap, and begins anew after one as long as its memory', async (t) => {
  const own = { forward: { offset: 0, weights: [0, 1] }, backward: { offset: 0, weights: [0.5, 0] }, limit: 9 }
  const values = Float64Array.of(4, 4, 0, 4, 4, 0, 0, 4, 4, 8)
  const missing = Uint8Array.of(0, 0, 1, 0, 0, 1, 1, 0, 0, 0)
  const early = ownResiduals(own, values, { missing, causal: true })
  t.same([...early.residuals], [0, 0, 0, 0, 0, 0, 0, 0, 0, 4])
  t.same([...early.filled], [4, 4, 4, 4, 4, 4, 4, 4, 4, 8], 'from the past')
  const both = ownResiduals(own, values, { missing, causal: false })
  t.same([...both.filled], [4, 4, 3, 4, 4, 2.5, 3, 4, 4, 8], 'the mean of past and future')
  t.equal(both.residuals[4], 0, 'from the past: the gap after it is too long for the future')
  const lead = ownResiduals(own, Float64Array.of(0, 4, 4, 4), { missing: Uint8Array.of(1, 0, 0, 0), causal: true })
  t.same([...lead.filled], [0, 4, 4, 4], 'nothing is expected before the first value')
  const late = ownResiduals(own, Float64Array.of(0, 4, 4, 4), { missing: Uint8Array.of(1, 0, 0, 0), causal: false })
  t.same([...late.filled], [2, 4, 4, 4], 'the future alone')
})

t.test('channels are told by each other; what is left out does not teach', async (t) => {
  const { normal } = createRandom('relation')
  const load = Float64Array.from({ length: 5000 }, normal)
  const columns = [load, load.map((value) => 5 - 2 * value), Float64Array.from({ length: 5000 }, normal)]
  const predictions = fitRelation(columns, ones(5000))
  t.same(predictions.map(({ weights }, c) => weights[c]), [0, 0, 0], 'none by itself')
  t.ok(Math.abs(relationResidual(predictions[1]!, [1, 3, 0], 1)) < 0.05)
  t.ok(relationResidual(predictions[1]!, [1, 9, 0], 1) > 5.9)
  t.ok(predictions[2]!.weights.every((weight) => Math.abs(weight) < 0.1))
  const broken = columns[1]!.map((value, i) => i < 500 ? 99 : value)
  const kept = ones(5000).fill(0, 0, 500)
  t.ok(Math.abs(relationResidual(fitRelation([load, broken], kept)[1]!, [1, 3], 1)) < 0.05)
})

t.test('a residual counts beyond what missing values may explain', async (t) => {
  t.equal(beyondMissing(5, [1, 2, 9], Uint8Array.of(1, 1, 0)), 2)
  t.equal(beyondMissing(-5, [1, 2, 9], Uint8Array.of(1, 1, 0)), -2)
  t.equal(beyondMissing(5, [1, 2, 9], Uint8Array.of(0, 0, 1)), 0)
  t.equal(beyondMissing(5, [1, 2, 9], new Uint8Array(3)), 5)
})
