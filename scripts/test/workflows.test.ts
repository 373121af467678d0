// The workflows say what package.json and the integration tests know, and actions by whole versions.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { readSuites } from './suites.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const texts = { ci: read('.github/workflows/ci.yml'), release: read('.github/workflows/release.yml') }
const Package = z.object({ scripts: z.record(z.string(), z.string()), engines: z.object({ node: z.string() }) })
const { scripts, engines } = Package.parse(JSON.parse(read('package.json')))

t.test('every script exists, every suite runs as scheduled, every supported Node is tested', (t) => {
  const Matrix = z.object({ matrix: z.object({ suite: z.array(z.string()) }) })
  const Integration = z.object({ if: z.string().optional(), strategy: Matrix })
  const Workflow = z.object({
    on: z.object({ schedule: z.array(z.object({ cron: z.string() })).min(1) }),
    jobs: z.object({
      check: z.object({ strategy: z.object({ matrix: z.object({ node: z.array(z.string()) }) }) }),
      integration: Integration,
      'integration-named': Integration,
    }),
  })
  const { jobs } = Workflow.parse(parse(texts.ci))
  const suites = (when: string): string[] => readSuites().filter((suite) => suite.when === when).map(({ name }) => name)
  t.strictSame(jobs.integration.strategy.matrix.suite, suites('default'))
  t.equal(jobs.integration.if, undefined)
  t.strictSame(jobs['integration-named'].strategy.matrix.suite, suites('named'))
  t.match(jobs['integration-named'].if, /'schedule'/)
  const [least] = /\d+/.exec(engines.node)!
  t.strictSame(jobs.check.strategy.matrix.node, [least, '22', '24'])
  for (const text of Object.values(texts)) {
    for (const [, name] of text.matchAll(/npm run ([\w:]+)/g)) t.ok(Object.hasOwn(scripts, name!), name!)
  }
  t.end()
})

t.test('actions are pinned, jobs may do little and not for ever, and no secret is written down', (t) => {
  for (const [name, text] of Object.entries(texts)) {
    for (const [, action] of text.matchAll(/uses: (\S+)/g)) t.match(action, /^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/, action!)
    const { permissions, jobs } = z.object({
      permissions: z.object({ contents: z.literal('read') }),
      jobs: z.record(z.string(), z.object({ 'timeout-minutes': z.int().max(60) })),
    }).parse(parse(text))
    t.ok(Object.keys(jobs).length > 0 && Object.keys(permissions).length === 1, name)
    for (const [, value] of text.matchAll(/(?:password|KEY|TOKEN): (.*)/g)) t.match(value, /^\$\{\{ secrets\.\w+ \}\}$/)
  }
  t.end()
})
