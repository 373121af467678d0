// The alert rules as Prometheus reads them: they are valid, and fire and are quiet as their tests say.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { promtool } from '../services/promtool.ts'

const folder = join(import.meta.dirname, '../../kubernetes/monitoring/rules')
const filesOf = (path: string): string[] =>
  readdirSync(path).filter((name) => name.endsWith('.yaml')).map((name) => join(path, name))

function run (...args: string[]): { status: number | null, said: string } {
  const { status, stdout, stderr } = spawnSync(promtool(), args, { encoding: 'utf8', timeout: 60_000 })
  return { status, said: `${stdout}${stderr}` }
}

t.test('the rules are valid', async (t) => {
  const { status, said } = run('check', 'rules', ...filesOf(folder))
  t.equal(status, 0, said)
})

t.test('Prometheus takes its configuration, which scrapes under the name that alerts ask for', async (t) => {
  const file = join(folder, '../prometheus.yml')
  const { status, said } = run('check', 'config', '--syntax-only', file)
  t.equal(status, 0, said)
  const job = /job_name: (.*)/.exec(readFileSync(file, 'utf8'))![1]!
  const [, asked] = /up\{job=~"(.*?)"\}/.exec(readFileSync(join(folder, 'processes.yaml'), 'utf8'))!
  t.match(job, new RegExp(`^(?:${asked!})$`))
})

t.test('each alert fires, and is quiet, as its tests say', async (t) => {
  const { status, said } = run('test', 'rules', ...filesOf(join(folder, 'test')))
  t.equal(status, 0, said)
})

t.test('a rule that does not fire fails its test', async (t) => {
  const copy = mkdtempSync(join(tmpdir(), 'rules-'))
  const rules = readFileSync(join(folder, 'processes.yaml'), 'utf8')
  writeFileSync(join(copy, 'processes.yaml'), rules.replace('== 0', '== 7'))
  const tests = readFileSync(join(folder, 'test/processes.yaml'), 'utf8').replace('../processes.yaml', 'processes.yaml')
  writeFileSync(join(copy, 'tests.yaml'), tests)
  const { status, said } = run('test', 'rules', join(copy, 'tests.yaml'))
  t.equal(status, 1, said)
  t.match(said, /ProcessDown/)
})
