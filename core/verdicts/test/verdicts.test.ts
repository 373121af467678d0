import fc from 'fast-check'
import t from 'tap'
import { findAnomalies } from '../anomalies.ts'
import { evidenceCode, PATTERN } from '../../evidence/model.ts'
import { fromColumns } from '../../series/series.ts'
import { ANOMALOUS, type Direction, judge, NORMAL, NOT_SCORED } from '../verdicts.ts'

/** Two channels; of the five observations the first is not scored, in the last the channel to blame has no value. */
const series = fromColumns({ start: 0, interval: 1, columns: { a: [0, 5, -5, 0, null], b: [0, 0, 0, 3, 0] } })
const detection = {
  score: Float64Array.of(NaN, 2, 3, 0.5, 4),
  contributions: Float64Array.of(NaN, NaN, 0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.7, 0.3),
  expected: Float64Array.of(NaN, NaN, 1, 0, 1, 0, 0, 0, 0, 0),
  evidence: new Uint8Array(5).fill(evidenceCode('point')),
}

t.test('verdicts by threshold, direction and deviation of the channel that contributes most', (t) => {
  t.same([...judge(series, detection)], [NOT_SCORED, ANOMALOUS, ANOMALOUS, NORMAL, ANOMALOUS])
  t.same([...judge(series, detection, { threshold: 2 })], [NOT_SCORED, NORMAL, ANOMALOUS, NORMAL, ANOMALOUS])
  t.same([...judge(series, detection, { direction: ['above', 'both'] })], [
    NOT_SCORED,
    ANOMALOUS,
    NORMAL,
    NORMAL,
    NORMAL,
  ])
  t.same([...judge(series, detection, { direction: ['below', 'above'], threshold: 0.1 })], [
    NOT_SCORED,
    NORMAL,
    ANOMALOUS,
    ANOMALOUS,
    NORMAL,
  ])
  t.same([...judge(series, detection, { minDeviation: [5, 0] })], [NOT_SCORED, NORMAL, ANOMALOUS, NORMAL, NORMAL])
  t.same(
    [...judge(series, detection, { minDeviation: [4, 0] })],
    [NOT_SCORED, ANOMALOUS, ANOMALOUS, NORMAL, NORMAL],
    'the distance itself is enough'
  )
  t.same(
    [...judge(series, detection, { minDeviation: [0, 9] })],
    [...judge(series, detection)],
    'others are not constrained'
  )
  t.end()
})

t.test('the side and the distance are those of the farthest departure that the evidence reaches', (t) => {
  const burst = fromColumns({ start: 0, interval: 1, columns: { a: [-1, 9, null, -1, -1] } })
  const around = {
    score: Float64Array.of(2, 2, 2, 2, 2),
    contributions: new Float64Array(5).fill(1),
    expected: new Float64Array(5),
    evidence: new Uint8Array(5).fill(PATTERN),
  }
  const none = { behind: 0, ahead: 0 }
  const sides = (
    direction: Direction,
    reach: { behind: number, ahead: number }
  ): number[] => [...judge(burst, around, { direction: [direction], reach: { pattern: reach, sustained: none } })]
  t.same(sides('above', { behind: 1, ahead: 1 }), [1, 1, 1, 0, 0])
  t.same(sides('below', { behind: 1, ahead: 1 }), [0, 0, 0, 1, 1])
  t.same(sides('above', { behind: 3, ahead: 0 }), [0, 1, 1, 1, 1], 'causal scores look back')
  const both = { pattern: none, sustained: { behind: 2, ahead: 2 } }
  const of = (code: number): number[] =>
    [...judge(burst, { ...around, evidence: around.evidence.map(() => code) }, { minDeviation: [5], reach: both })]
  t.same(of(evidenceCode('mean')), [1, 1, 1, 1, 0])
  t.same(of(evidenceCode('power', 'own')), [1, 1, 1, 1, 0])
  t.same(of(evidenceCode('point')), [0, 1, 0, 0, 0], 'a point is evidence of itself alone')
  t.same(of(PATTERN), [0, 1, 0, 0, 0])
  t.end()
})

t.test('anomalies are runs of the verdicts that are given', (t) => {
  const found = findAnomalies(detection, { mergeGap: 0 }, judge(series, detection, { threshold: 2.5 }))
  t.same(found.map(({ from, to }) => [from, to]), [[2, 2], [4, 4]])
  t.same(findAnomalies(detection, { mergeGap: 0 }).map(({ from, to }) => [from, to]), [[1, 2], [4, 4]])
  t.end()
})

t.test('a higher threshold, a direction and a larger deviation only take verdicts away', (t) => {
  const flagged = (rules: Parameters<typeof judge>[2]): number[] =>
    [...judge(series, detection, rules)].flatMap((verdict, i) => verdict === ANOMALOUS ? [i] : [])
  const side = fc.constantFrom<Direction>('both', 'above', 'below')
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.tuple(side, side),
      fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 2, maxLength: 2 }),
      (threshold, more, direction, minDeviation) => {
        const all = flagged({ threshold })
        const farther = minDeviation.map((least) => least + more)
        return [
          flagged({ threshold: threshold + more }),
          flagged({ threshold, direction }),
          flagged({ threshold, minDeviation }),
        ].every((fewer) => fewer.every((i) => all.includes(i))) &&
          flagged({ threshold, minDeviation: farther }).every((i) =>
            flagged({ threshold, minDeviation }).includes(i)
          )
      }
    )
  )
  t.end()
})
