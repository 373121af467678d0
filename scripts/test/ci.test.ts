// The closing line of the CI script: sums of tap's own totals.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const scripts = dirname(dirname(fileURLToPath(import.meta.url)))

function totals (log: string): { line: string, status: number | null } {
  const { stdout: line, status } = spawnSync('awk', ['-f', join(scripts, 'test-totals.awk')], {
    input: log,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { line, status }
}

t.test('all runs are summed, what is still to do counts as skipped, subtests are not counted twice', async (t) => {
  const log = `
    # { total: 9, pass: 9 }
# { total: 37, pass: 30, fail: 2, todo: 1, skip: 4 }
# time=10ms
ok 1 - # { total: 100, pass: 100 }
# { total: 5, pass: 5 }
`
  t.same(totals(log), { line: 'total: 35 passed, 2 failed, 5 skipped\n', status: 0 })
})

t.test('a part that fails counts once, with failing assertions or without', async (t) => {
  t.equal(
    totals('# { total: 3, pass: 3 }\n# part failed: npm run setup:dvc\n').line,
    'total: 3 passed, 1 failed, 0 skipped\n'
  )
  t.equal(
    totals('# { total: 3, pass: 1, fail: 2 }\n# part failed: npm test\n').line,
    'total: 1 passed, 2 failed, 0 skipped\n'
  )
})

t.test('no totals at all are no success', async (t) => {
  t.same(totals('everything went well\n'), { line: 'total: 0 passed, 0 failed, 0 skipped\n', status: 1 })
})
