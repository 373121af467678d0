// The alerts and dashboards themselves: they use metrics that exist, and each alert has its runbook.
// scripts/test/rules.integration.ts runs them in Prometheus.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { AnswerCounts } from '../../model-serving/workers/answer-counts.ts'
import { Metrics } from '../../model-serving/metrics/metrics.ts'
import { ServedModels } from '../../model-serving/packages/served-models.ts'
import { ShadowTally } from '../../model-serving/models/shadow-tally.ts'
import { RequestTimes } from '../../model-serving/metrics/request-times.ts'
import { MemoryLog } from '../../pipelines/adapters/memory/memory-log.ts'
import { StepMetrics } from '../../pipelines/runtime/metrics.ts'
import { runStep } from '../../pipelines/runtime/run-step.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'kubernetes/monitoring')
const filesOf = (path: string, ending: string): string[] =>
  readdirSync(join(folder, path)).filter((name) => name.endsWith(ending)).map((name) => join(folder, path, name))

const Rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          record: z.string().optional(),
          expr: z.string(),
          annotations: z.object({ runbook: z.string() }).optional(),
        })
      ),
    })
  ),
})
const Dashboard = z.object({ panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })) })).min(1) })
const rules = filesOf('rules', '.yaml').flatMap((file) =>
  Rules.parse(parse(readFileSync(file, 'utf8'))).groups.flatMap((group) => group.rules)
)
const alerts = rules.flatMap(({ alert }) => alert ?? [])

/** Names of metrics; without functions, labels and keywords. */
function namesIn (expr: string): string[] {
  const bare = expr.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}/g, '').replace(/\[[^\]]*\]/g, '').replace(
    /\b(?:by|on)\s*\([^)]*\)/g,
    ''
  ).replace(/\boffset\s+\w+/g, '')
  return [...bare.matchAll(/[a-z_][\w:]*(?!\w)(?!\s*\()/gi)].map(([name]) => name).filter((name) =>
    !['and', 'or', 'unless', 'sum', 'max'].includes(name) && !/^\d/.test(name)
  )
}

/** Metrics of the programs, and those that appear with their first count. */
async function exposed (): Promise<Set<string>> {
  const tasks = {
    answers: new AnswerCounts(),
    ended: { finished: 0, failed: 0 },
    active: 0,
    describe: () => ({ unfinished: 0, untold: 0, limit: 1 }),
  }
  const service = new Metrics(new ServedModels(), new ShadowTally())
  service.include({
    answers: new AnswerCounts(),
    requests: new RequestTimes(),
    scorer: { load: () => ({ waiting: 0, running: 0, refused: 0 }) },
    tasks,
  })
  const metrics = new StepMetrics('sink')
  metrics.ofProcess()
  metrics.scored(1)
  const step = await runStep({
    kind: { name: 'sink', accepts: ['verdict.v1'], open: () => ({ process: () => {} }) },
    log: new MemoryLog(),
    metrics,
    checkpointMs: 1000,
    now: Date.now,
    logger: { info () {}, warn () {}, error () {} },
  })
  const text = `${await service.text()}\n${await metrics.text()}`
  await step.close()
  const names = new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, kind]) =>
      kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => `${name}${end}`) : [name!]
    )
  )
  // Prometheus' own.
  return names.add('up')
}

t.test('rules and dashboards use metrics that exist', async (t) => {
  const known = await exposed()
  for (const { record } of rules) if (record !== undefined) known.add(record)
  const asked = [
    ...rules.map(({ expr }) => expr),
    ...filesOf('dashboards', '.json').flatMap((file) =>
      Dashboard.parse(JSON.parse(readFileSync(file, 'utf8'))).panels.flatMap(({ targets }) =>
        targets.map(({ expr }) => expr)
      )
    ),
  ]
  for (const expr of asked) {
    const names = namesIn(expr)
    t.ok(names.length > 0, expr)
    t.same(names.filter((name) => !known.has(name)), [], expr)
  }
  t.same(namesIn('sum by (le) (rate(no_such_total{a="b"}[5m])) > 1'), ['no_such_total'])
})

t.test('each alert has its runbook, and each runbook its alert', (t) => {
  const runbooks = [
    ...readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8').split(/^## Runbooks$/m)[1]!.split(/^## /m)[0]!.matchAll(
      /^### (\w+)$/gm
    ),
  ].map(([, name]) => name!)
  t.same([...runbooks].sort(), [...alerts].sort())
  for (const { alert, annotations } of rules) {
    if (alert !== undefined) t.equal(annotations?.runbook, `docs/OPERATIONS.md#${alert.toLowerCase()}`)
  }
  t.end()
})

const Tests = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) })
  ),
})

t.test('each alert is tested firing and quiet', (t) => {
  const tested = filesOf('rules/test', '.yaml').flatMap((file) =>
    Tests.parse(parse(readFileSync(file, 'utf8'))).tests.flatMap((one) => one.alert_rule_test)
  )
  for (const alert of alerts) {
    const of = tested.filter(({ alertname }) => alertname === alert)
    t.ok(of.some(({ exp_alerts: expected }) => expected.length > 0), `${alert} fires`)
    t.ok(of.some(({ exp_alerts: expected }) => expected.length === 0), `${alert} is quiet`)
  }
  t.end()
})
