// Verdicts of a small detector: what is scored, by which evidence, and what a saved state goes on with.
import t from 'tap'
import { PATTERN } from '../../evidence/model.ts'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import type { Verdict } from '../../scoring/detection.ts'
import { observation, type Series, slice, timeOf } from '../../series/series.ts'
import { altered, fitLinear, SMALL, waves } from '../../test/synthetic.ts'
import { Detector, detectCausal } from '../detector.ts'

const TRAINED = 300
const all = waves(400)
const test = slice(all, TRAINED, 400)
const { model, autoencoders } = await fitLinear([slice(all, 0, TRAINED)])
const WARM_UP = model.windowLength - 1

/** Nothing at all in rows 60 to 69, a channel missing in row 30, a spike in row 3 and another in row 50. */
const series = altered(test, (values) => {
  values.fill(NaN, 3 * 60, 3 * 70)
  values[3 * 30 + 1] = NaN
  values[3 * 3 + 2]! += 30
  values[3 * 50]! += 30
})
const rowsOf = (series: Series): Array<{ time: number, values: ArrayLike<number> }> =>
  Array.from({ length: series.length }, (_, i) => ({ time: timeOf(series, i), values: observation(series, i) }))
const scored = (verdicts: readonly Verdict[]): number[] =>
  verdicts.flatMap(({ score }, i) => score === null ? [] : [i])
const between = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

t.test('only what has a window or evidence is scored, and a gap never is', async (t) => {
  const verdicts = new Detector(model, autoencoders).observeAll(rowsOf(series))
  const scores = scored(verdicts)
  t.same(scores.filter((i) => i < WARM_UP), [3], 'before the first window evidence alone')
  t.same(scores.filter((i) => i >= WARM_UP && i < 60), between(WARM_UP, 59))
  t.ok(scores.every((i) => i < 60 + SMALL.maxGap || i >= 70))
  t.same(scores.filter((i) => i >= 70 + WARM_UP), between(70 + WARM_UP, 99))
  for (const { score, anomalous, contributions, expected, evidence } of verdicts) {
    if (score !== null) continue
    t.same([anomalous, contributions, expected, evidence], [null, null, null, 0])
  }
})

t.test('the channel with a spike is blamed; without evidence the pattern tells', async (t) => {
  const verdicts = new Detector(model, autoencoders).observeAll(rowsOf(series))
  for (const [row, channel] of [[3, 2], [50, 0]] as const) {
    const { anomalous, contributions, expected, evidence } = verdicts[row]!
    t.ok(anomalous && evidence !== PATTERN)
    t.equal(contributions!.indexOf(Math.max(...contributions!)), channel)
    t.ok(Math.abs(expected![channel]! - test.values[3 * row + channel]!) < 3, 'expected is what would be without it')
  }
  t.same([verdicts[40]!.anomalous, verdicts[40]!.evidence], [false, PATTERN])
})

t.test('without autoencoders evidence alone tells, from the first row on', async (t) => {
  const { model, autoencoders } = await fitAdHoc(test)
  t.same(model.members, [])
  const verdicts = new Detector(model, autoencoders).observeAll(rowsOf(series))
  t.same(scored(verdicts), [...between(0, 59 + model.maxGap), ...between(70, 99)])
  t.ok(verdicts.every(({ evidence }) => evidence !== PATTERN))
})

t.test('a filled value gives the verdict of a missing one, and a value before the first is its base', async (t) => {
  const late = altered(test, (values) => { for (let i = 0; i < 5; i++) values[3 * i + 1] = NaN })
  const held = altered(late, (values) => { for (let i = 0; i < 5; i++) values[3 * (i + 30) + 1] = values[3 * 29 + 1]! })
  const gap = altered(late, (values) => { for (let i = 0; i < 5; i++) values[3 * (i + 30) + 1] = NaN })
  const filled = rowsOf(held).map((row, i) => ({ ...row, filled: Uint8Array.of(0, i >= 30 && i < 35 ? 1 : 0, 0) }))
  const verdicts = new Detector(model, autoencoders).observeAll(filled)
  t.strictSame(verdicts, new Detector(model, autoencoders).observeAll(rowsOf(gap)))
  t.ok(verdicts.slice(0, 5).every(({ score }) => score === null))
  t.same(verdicts.slice(28, 36).map(({ imputed }) => imputed[1]), [0, 0, 1, 1, 0, 0, 0, 0], 'up to maxGap in a row')
})

t.test('one by one, together, of the whole series, and from a saved state: the same verdicts', async (t) => {
  const together = new Detector(model, autoencoders).observeAll(rowsOf(series))
  const single = new Detector(model, autoencoders)
  t.strictSame(rowsOf(series).map((row) => single.observe(row)), together)
  const { score, evidence } = detectCausal(model, autoencoders, series)
  t.strictSame(together.map((verdict) => verdict.score ?? NaN), Array.from(score))
  t.strictSame(together.map((verdict) => verdict.evidence), Array.from(evidence))
  for (const cut of [0, 4, 52, 65]) {
    const first = new Detector(model, autoencoders)
    first.observeAll(rowsOf(series).slice(0, cut))
    const second = new Detector(model, autoencoders, structuredClone(first.save()))
    t.strictSame(second.observeAll(rowsOf(series).slice(cut)), together.slice(cut), `cut at ${cut}`)
  }
})
