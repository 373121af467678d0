// The CI script's schedule, and its closing line: sums of tap's own totals.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readSuites } from './suites.ts'

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

/** Minutes that `.ci/run` may take, those of its checks, and those left for suites to come. */
const MINUTES = 70
const CHECKS = 7
const RESERVE = 25

t.test('the default suites fit into the schedule, and leave room for more', async (t) => {
  const used = readSuites().filter(({ when }) => when === 'default').reduce((sum, { minutes }) => sum + minutes, 0)
  t.ok(CHECKS + used + RESERVE <= MINUTES, `${used} minutes`)
})

t.test('each suite of the schedule exists, once, and there is no other', async (t) => {
  const names = readSuites().map(({ name }) => name)
  const script = readFileSync(join(scripts, 'test-integration.sh'), 'utf8')
  const functions = [...script.matchAll(/^suite_(\w+)\(\)/gm)].map(([, name]) => name!)
  t.strictSame([...names].sort(), functions.sort())
})

t.test('a row of times shows what was used against what is allowed', async (t) => {
  const row = (...values: string[]): string[] => {
    const args = ['-c', '. "$0"; time_row "$@"', join(scripts, 'suites.sh'), ...values]
    const { stdout } = spawnSync('bash', args, { encoding: 'utf8', timeout: 20_000 })
    return stdout.trim().split(/ +/)
  }
  t.same(row('page', '2', '90', '30', '60'), ['page', '2', '1.5', '0.5', '1.0'])
  t.same(row('page', '2', '150', '30', '60'), ['page', '2', '2.5', '0.5', '1.0', 'over'])
  t.same(row('page', '2', '150', '30', '60', 'failed'), ['page', '2', '2.5', '0.5', '1.0', 'failed'])
  t.same(row('minio', '', '90', '', '60'), ['minio', '1.5', '1.0'])
})

t.test('an unknown suite is refused, and the known ones are listed', async (t) => {
  const args = [join(scripts, 'test-integration.sh'), 'page', 'nothing']
  const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8', timeout: 20_000 })
  t.equal(status, 1)
  t.match(stderr, `there is no suite 'nothing'; there are: ${readSuites().map(({ name }) => name).join(', ')}, all`)
})
