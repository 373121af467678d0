import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compare, parseTable, readTables } from '../published.ts'
import { tableText, writeSubmission } from '../submission.ts'

const OURS = new Map([['001', 0.5], ['002', 0.75], ['003', 0.25]])

t.test('a table names its files with or without extension, and may have holes and descriptions', async (t) => {
  const table = parseTable('file,A,B (time),ts_len\n001.csv,.5,0.25,100\n002,,0.5,200\n')
  t.same([...table].map(([name, figures]) => [name, [...figures]]), [
    ['A', [['001', 0.5]]],
    ['B (time)', [['001', 0.25], ['002', 0.5]]],
  ])
  t.throws(() => parseTable('name,A\n001,1\n'), /column "file"/)
})

t.test('several tables are one, whose algorithms may have files in each', async (t) => {
  const folder = t.testdir({ 'u.csv': 'file,A\n001,0.5\n', 'm.csv': 'file,A,B\n002,0.25,1\n' })
  const table = await readTables([join(folder, 'u.csv'), join(folder, 'm.csv')])
  t.same([...table.get('A')!], [['001', 0.5], ['002', 0.25]])
  t.same([...table.get('B')!], [['002', 1]])
})

t.test('the comparison is paired on the files in common, the best first', async (t) => {
  const compared = compare(OURS, parseTable('file,weak,strong,elsewhere\n001,0.25,1,\n002,0.5,1,\n009,1,0,1\n'))
  t.same(Object.keys(compared), ['strong', 'weak'])
  const weak = { files: 2, ours: 0.625, theirs: 0.375, difference: 0.25, interval: [0.25, 0.25], lead: 1 }
  t.same(compared['weak'], weak, 'on each file .25 better, so in each resample')
  t.match(compared['strong'], { theirs: 1, difference: -0.375, interval: [-0.5, -0.25], lead: 0 })
})

t.test('the interval holds the difference, and changes sides with the pair', async (t) => {
  const figure = fc.double({ min: 0, max: 1, noNaN: true })
  const figures = fc.array(fc.tuple(figure, figure), { minLength: 2, maxLength: 9 })
  fc.assert(fc.property(figures, (pairs) => {
    const side = (k: 0 | 1) => new Map(pairs.map((pair, i) => [`${i}`, pair[k]]))
    const one = compare(side(0), new Map([['other', side(1)]]))['other']!
    const back = compare(side(1), new Map([['other', side(0)]]))['other']!
    const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-12
    return one.interval[0] <= one.difference + 1e-12 && one.interval[1] >= one.difference - 1e-12 &&
      near(one.interval[0], -back.interval[1]) && one.lead + back.lead <= 1
  }), { numRuns: 30 })
  t.pass()
})

t.test('a submission is a table that can be read again', async (t) => {
  const table = new Map([['ours (batch)', OURS], ['ours (causal)', new Map([...OURS].map(([f, x]) => [f, x / 3]))]])
  t.equal(tableText(new Map([['ours', OURS]])), 'file,ours\n001.csv,0.5\n002.csv,0.75\n003.csv,0.25\n')
  const folder = t.testdir()
  const path = await writeSubmission(join(folder, 'new'), 'multi', table)
  t.equal(path, join(folder, 'new', 'multi_mergedTable_VUS-PR.csv'))
  t.same(parseTable(await readFile(path, 'utf8')), table)
})
