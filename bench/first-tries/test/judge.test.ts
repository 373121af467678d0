import fc from 'fast-check'
import t from 'tap'
import { falseAlarms, judgeCase, summarise } from '../judge.ts'

const CHANNELS = ['a', 'b']
const series = { length: 200, channels: CHANNELS }
const label = (from: number, to: number, ...channels: string[]) => ({ from, to, channels })
const judged = (labels: ReturnType<typeof label>[], ...findings: ReturnType<typeof label>[]) =>
  judgeCase({ labels, series }, findings)

t.test('an interval finds a label from two rows away, and from a quarter of its length', async (t) => {
  const spike = label(100, 100, 'a')
  t.ok(judged([spike], label(102, 105, 'a')).clean)
  t.ok(judged([spike], label(95, 98, 'a')).clean)
  const missed = { found: false, iou: 0, width: NaN }
  t.match(judged([spike], label(103, 105, 'a')), { clean: false, stray: 1, labels: [missed] })
  const long = label(100, 139, 'a')
  t.ok(judged([long], label(149, 150, 'a')).clean)
  t.notOk(judged([long], label(150, 150, 'a')).clean)
})

t.test('IoU is that of the best interval, width is that of all which find the label', async (t) => {
  const [outcome] = judged([label(100, 109, 'a')], label(100, 104, 'a'), label(106, 120, 'a')).labels
  t.equal(outcome!.iou, 0.5)
  t.equal(outcome!.width, 2)
  t.equal(judged([label(100, 109, 'a')], label(100, 109, 'a')).labels[0]!.iou, 1)
})

t.test('the first channel counts, of any interval that finds the label', async (t) => {
  t.notOk(judged([label(10, 19, 'b')], label(10, 19, 'a', 'b')).labels[0]!.blamed)
  t.ok(judged([label(10, 19, 'b')], label(10, 12, 'a', 'b'), label(14, 19, 'b', 'a')).labels[0]!.blamed)
  t.ok(judged([label(10, 19, 'a', 'b')], label(10, 19, 'b')).labels[0]!.blamed)
  t.notOk(judged([label(10, 19, 'b')], label(100, 101, 'b')).labels[0]!.blamed)
})

t.test('a series that was refused is not clean, even if it is healthy', async (t) => {
  t.ok(judged([]).clean)
  const refused = judgeCase({ labels: [], series }, [], 'series-too-short')
  t.notOk(refused.clean)
  t.equal(summarise([judged([]), refused]).refused, 1)
})

t.test('the summary counts labels, cases, and only what there is to blame', async (t) => {
  const lone = { length: 200, channels: ['a'] }
  const summary = summarise([
    judged([label(10, 19, 'a'), label(50, 59, 'a')], label(10, 19, 'a')),
    judged([label(10, 19, 'a')], label(10, 39, 'b'), label(90, 90, 'b')),
    judgeCase({ labels: [label(10, 19, 'a')], series: lone }, [label(10, 29, 'a')]),
  ])
  t.match(summary, { cases: 3, found: 75, stray: 1 / 3, refused: 0, width: 2 })
  t.equal(Math.round(summary.clean), 33)
  t.equal(summary.iou, (1 + 0 + 1 / 3 + 1 / 2) / 4)
  t.equal(Math.round(summary.blamed), 33)
  const even = [judged([label(10, 19, 'a'), label(50, 59, 'a')], label(10, 19, 'a'), label(50, 89, 'a'))]
  t.equal(summarise(even).width, 1, 'the lower of two')
  t.match(summarise([]), { cases: 0, found: NaN, clean: NaN, width: NaN })
})

t.test('false alarms are counted on healthy series only', async (t) => {
  const outcomes = [
    judged([], label(10, 19, 'a'), label(15, 24, 'b')),
    judged([]),
    judged([label(10, 19, 'a')], label(90, 99, 'a')),
  ]
  t.same(falseAlarms(outcomes), { intervals: 5, rows: 37.5 })
})

const interval = fc.tuple(fc.nat(180), fc.nat(19)).map(([from, more]) => label(from, from + more, 'a'))

t.test('the labels themselves are a clean answer; every interval finds something or is stray', async (t) => {
  fc.assert(fc.property(fc.array(interval), fc.array(interval), (labels, findings) => {
    const exact = judged(labels, ...labels)
    if (!exact.clean || exact.labels.some(({ iou, width, blamed }) => iou !== 1 || width < 1 || !blamed)) return false
    const { stray, clean, labels: outcomes } = judged(labels, ...findings)
    const found = outcomes.filter((outcome) => outcome.found)
    return stray <= findings.length && (stray < findings.length) === (found.length > 0) &&
      clean === (stray === 0 && found.length === labels.length) &&
      outcomes.every(({ iou }) => iou >= 0 && iou <= 1) && found.every(({ width }) => width > 0)
  }))
  t.pass()
})
