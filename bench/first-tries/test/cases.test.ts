import { join } from 'node:path'
import t from 'tap'
import { type Case, casesOf, outsideKinds, ownKinds } from '../cases.ts'

const SEEDS = 5
const kinds = ownKinds()
const cases = casesOf(kinds, 'test', SEEDS)
const isHealthy = ({ labels }: Case): boolean => labels.length === 0

t.test('every kind gives labelled series or healthy ones, about a third of them healthy', async (t) => {
  t.equal(cases.length, SEEDS * kinds.size)
  t.ok(kinds.size >= 30)
  for (const one of cases) t.equal(isHealthy(one), one.kind.startsWith('healthy-'), one.id)
  const share = cases.filter(isHealthy).length / cases.length
  t.ok(share > 0.3 && share < 0.4, `${share}`)
})

t.test('labels name channels of the series and rows of its second half, in order', async (t) => {
  for (const { id, series, labels } of cases) {
    let before = Math.floor(series.length / 2) - 1
    for (const { from, to, channels } of labels) {
      t.ok(from > before && to >= from && to < series.length, `${id}: ${from} to ${to} of ${series.length}`)
      t.ok(channels.length > 0 && channels.every((channel) => series.channels.includes(channel)), id)
      before = to
    }
    t.ok(series.values.every(Number.isFinite), id)
  }
})

t.test('an anomaly is short: at most a fifth of the series', async (t) => {
  for (const { id, series, labels } of cases) {
    const rows = labels.reduce((sum, { from, to }) => sum + to - from + 1, 0)
    t.ok(rows <= series.length / 5, `${id}: ${rows} of ${series.length}`)
  }
})

t.test('a case depends on set, kind and seed, and on nothing else', async (t) => {
  t.same(casesOf(kinds, 'test', SEEDS), cases)
  t.same(casesOf(kinds, 'test', 1), cases.filter(({ id }) => id.endsWith('-1')))
  const values = [...cases, ...casesOf(kinds, 'other', SEEDS)].map(({ series }) => series.values.join())
  t.equal(new Set(values).size, 2 * cases.length, 'no two series are the same')
})

t.test('kinds of an outside module', async (t) => {
  const drawing = '{ step: "PT1M", channels: { value: [r.u(), null, r.int(3, 3), r.pick([4])] }, labels: [] }'
  const folder = t.testdir({
    'empty.mjs': '',
    'kinds.mjs': `export const KINDS = { flat: (r) => (${drawing}) }`,
    'random.mjs': `export const random = (seed) => ({ u: () => seed, int: (low) => low, pick: (list) => list[0] })
      export const KINDS = { flat: (r) => (${drawing.replace('r.u()', 'r.u() === "dev/flat/0" ? 7 : 8')}) }`,
  })
  const [one, two] = casesOf(await outsideKinds(join(folder, 'kinds.mjs')), 'dev', 2)
  const series = { interval: 60_000, length: 4, channels: ['value'] }
  t.match(one, { id: 'flat-dev-1', kind: 'flat', series, labels: [] })
  t.same([...one!.series.values].slice(1), [NaN, 3, 4])
  t.not(one!.series.values[0], two!.series.values[0])
  const [own] = casesOf(await outsideKinds(join(folder, 'random.mjs')), 'dev', 1)
  t.equal(own!.series.values[0], 7, 'its own random numbers')
  await t.rejects(outsideKinds(join(folder, 'empty.mjs')), /does not export KINDS/)
})
