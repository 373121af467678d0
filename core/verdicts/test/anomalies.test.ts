// Anomalies, golden scores and the table of errors.
import fc from 'fast-check'
import t from 'tap'
import { isAnomalous } from '../../scoring/threshold.ts'
import { findAnomalies } from '../anomalies.ts'
import { pointer, Problem, PROBLEMS } from '../../errors.ts'
import { makeGolden, reproduceGolden } from '../../package/golden.ts'
import { slice } from '../../series/series.ts'
import { fitLinear, waves } from '../../test/synthetic.ts'

/** Two channels; the first has the whole blame at even observations, the second at odd ones. */
function detection (scores: readonly number[]): { score: Float64Array, contributions: Float64Array } {
  return {
    score: Float64Array.from(scores),
    contributions: Float64Array.from(scores.flatMap((_, i) => i % 2 === 0 ? [1, 0] : [0, 1])),
  }
}

t.test('an anomaly is a maximal run above 1, with peak and ranked channels', async (t) => {
  const [first, second, ...none] = findAnomalies(detection([0.5, 2, 3, 2, 1, 5, NaN]), { mergeGap: 0 })
  t.same(first, {
    from: 1,
    to: 3,
    peak: 2,
    peakScore: 3,
    channels: [{ channel: 1, contribution: 4 / 7 }, { channel: 0, contribution: 3 / 7 }],
  })
  t.same([second!.from, second!.to, second!.peakScore], [5, 5, 5])
  t.same(none, [])
  t.same(findAnomalies(detection([1, 1])), [], 'exactly the threshold is normal')
})

t.test('merging comes before the minimum length, and the peak may lie behind a merged gap', async (t) => {
  const scores = detection([2, 0, 3, NaN, 0, 2, 2])
  t.same(findAnomalies(scores, { mergeGap: 1 }).map(({ from, to, peak }) => [from, to, peak]), [[0, 2, 2], [5, 6, 5]])
  t.same(findAnomalies(scores, { mergeGap: 1, minLength: 3 }).map(({ from, to }) => [from, to]), [[0, 2]])
  t.same(findAnomalies(scores, { mergeGap: 0, minLength: 3 }), [])
})

t.test('by default, half of the longer run may lie between two that are one anomaly, from 3 to 20', async (t) => {
  const apart = (gap: number, length: number): number => {
    const score = Float64Array.from([...Array<number>(length).fill(2), ...Array<number>(gap).fill(0), 2])
    return findAnomalies({ score, contributions: new Float64Array(score.length).fill(1) }).length
  }
  t.same([apart(3, 1), apart(4, 1)], [1, 2])
  t.same([apart(6, 12), apart(7, 12)], [1, 2])
  t.same([apart(20, 90), apart(21, 90)], [1, 2])
})

t.test('neighbours that have no channel in common are two anomalies, if no gap is given', async (t) => {
  const rows = (list: ReadonlyArray<readonly [number, number, number]>): ReturnType<typeof detection> => ({
    score: Float64Array.from(list, ([score]) => score),
    contributions: Float64Array.from(list.flatMap(([, ...shares]) => shares)),
  })
  const spans = (list: ReadonlyArray<readonly [number, number, number]>, mergeGap?: number): unknown =>
    findAnomalies(rows(list), mergeGap === undefined ? {} : { mergeGap }).map(({ from, to }) => [from, to])
  const apart = [[2, 1, 0], [0, 1, 0], [2, 0.05, 0.95]] as const
  t.same(spans(apart), [[0, 0], [2, 2]], 'two spikes in two channels')
  t.same(spans(apart, 1), [[0, 2]], 'who asks for a gap gets it')
  t.same(spans([[2, 1, 0], [3, 0, 1]]), [[0, 1]], 'an event that moves from channel to channel')
  t.same(spans([[2, 1, 0], [0, 1, 0], [2, 0.3, 0.7]]), [[0, 2]], 'the first channel goes on beside another')
  t.same(spans([[2, 0.3, 0.7], [0, 1, 0], [2, 1, 0]]), [[0, 2]], 'and the other way round')
  t.same(spans([[2, 1, 0], [3, 0, 1], [0, 1, 0], [2, 1, 0]]), [[0, 3]], 'all that was merged counts')
})

t.test('runs are apart, in order, and hold every anomalous observation', async () => {
  const score = fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 2, noNaN: true }))
  const scores = fc.array(score, { maxLength: 60, size: 'max' })
  fc.assert(fc.property(scores, fc.nat(4), (list, mergeGap) => {
    const found = findAnomalies(detection(list), { mergeGap })
    const inside = (i: number): boolean => found.some(({ from, to }) => from <= i && i <= to)
    return list.every((score, i) => !isAnomalous(score) || inside(i)) &&
      found.every(({ from, to, peak, channels }, i) =>
        isAnomalous(list[from]!) && isAnomalous(list[to]!) &&
        list[peak] === Math.max(...list.slice(from, to + 1).filter((score) => isAnomalous(score))) &&
        Math.abs(channels.reduce((sum, { contribution }) => sum + contribution, 0) - 1) < 1e-9 &&
        (i === 0 || from - found[i - 1]!.to - 1 > mergeGap)
      )
  }))
})

t.test('golden scores are reproduced, or refused', async (t) => {
  const { model, autoencoders } = await fitLinear([waves(300)])
  const golden = makeGolden(model, autoencoders, slice(waves(300), 50, 120))
  t.equal(golden.causal[0], null)
  t.equal(reproduceGolden(model, autoencoders, golden), 0)
  const slightly = { ...golden, batch: golden.batch.map((score) => score === null ? null : score * (1 + 5e-5)) }
  t.ok(reproduceGolden(model, autoencoders, slightly) > 4e-5)
  const broken = [
    { ...golden, batch: golden.batch.map((score) => score === null ? null : score * 1.1 + 0.1) },
    { ...golden, causal: golden.causal.map((score) => score ?? 0.5) },
    { ...golden, causal: golden.causal.slice(1) },
    { ...golden, values: { channel_0: golden.values['channel_0']! } },
  ]
  for (const one of broken) t.throws(() => reproduceGolden(model, autoencoders, one), { code: 'golden-scores-differ' })
})

t.test('a problem carries its code, status, places and cause', async (t) => {
  const cause = new Error('below')
  const problem = new Problem('series-too-short', 'send more', {
    items: [{ pointer: '/channels', detail: 'short', got: 1, want: 2 }],
    extensions: { needed: 2 },
    cause,
  })
  t.match(problem, {
    name: 'Problem',
    code: 'series-too-short',
    status: 422,
    message: 'send more',
    items: [{ pointer: '/channels' }],
    extensions: { needed: 2 },
  })
  t.equal(problem.cause, cause)
  t.equal(new Problem('not-found', 'x').cause, undefined)
  t.equal(pointer('channels', 'a/b~c', 3), '/channels/a~1b~0c/3')
  t.ok(Object.values(PROBLEMS).every(({ status, title }) => status >= 400 && title.length > 0))
})
