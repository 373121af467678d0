// The laws of a database on a real InfluxDB and a real Cassandra: killed while they are written to, refused, and
// fetched from for retraining.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../adapters/settings/values.ts'
import { main as data } from '../../model-creation/data.ts'
import type { Database } from '../../pipelines/database/database.ts'
import { openDatabase } from '../../pipelines/adapters/open-database.ts'
import { batchOf, BEGIN, incident, LAWS, verdict } from '../../pipelines/database/test/laws.ts'
import type { Received } from '../../pipelines/runtime/step.ts'
import { DATABASE_SETTINGS } from '../../pipelines/settings/database.ts'
import { sinkKind } from '../../pipelines/steps/sink/step.ts'
import { applyToInflux, grafanaDashboard, influxTemplate } from '../dashboards.ts'
import { cassandraVersion, startCassandra } from '../services/cassandra.ts'
import { influxdbVersion, startInfluxdb } from '../services/influxdb.ts'
import type { RunningServer } from '../services/server.ts'
import { run } from './run.ts'

t.setTimeout(900_000)

const root = resolve(import.meta.dirname, '../..')
const logs = join(root, '.cache/integration/databases')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })

const influx = await startInfluxdb({ folder: join(logs, 'influxdb') })
t.teardown(async () => influx.stop())
const cassandra = await startCassandra({ folder: join(logs, 'cassandra') })
t.teardown(async () => cassandra.stop())
t.comment(`InfluxDB ${influxdbVersion()} at ${influx.url}, Cassandra ${cassandraVersion()} at ${cassandra.url}`)

const INFLUX = { INFLUX_URL: influx.url, INFLUX_TOKEN: influx.token, INFLUX_ORG: influx.org }
const CASSANDRA = { STREAM_DATABASE: 'cassandra', CASSANDRA_CONTACT_POINTS: cassandra.url }
const open = async (env: Record<string, string>): Promise<Database> =>
  openDatabase(parseSettings(z.object(DATABASE_SETTINGS), env))
const ALWAYS = { from: 0, to: Date.UTC(2100, 0, 1) }

interface Kind {
  readonly server: RunningServer
  readonly env: Record<string, string>
}
const KINDS: Readonly<Record<string, Kind>> = {
  influx: { server: influx, env: INFLUX },
  cassandra: { server: cassandra, env: CASSANDRA },
}

for (const [kind, { server, env }] of Object.entries(KINDS)) {
  t.test(`${kind}: the laws of a database`, async (t) => {
    const database = await open(env)
    t.teardown(async () => database.close())
    t.comment(database.location)
    for (const [i, [name, law]] of Object.entries(LAWS).entries()) {
      await t.test(name, async (t) =>
        law(t, database, `own ${i} `))
    }
  })

  t.test(`${kind}: killed while the sink writes, everything is there in the end`, async (t) => {
    const database = await open(env)
    t.teardown(async () => database.close())
    let troubles = 0
    const step = await sinkKind({
      database,
      onTrouble: () => {
        troubles++
      },
    }).open(undefined, new AbortController().signal)
    const out = {
      send: () => {},
      drop: () => {},
      reject: (_: Received, code: string, detail: string) => {
        t.fail(`${code} ${detail}`)
      },
    }
    const verdicts = Array.from({ length: 6000 }, (_, i) => verdict('killed', i))
    const work = (async () => {
      for (let i = 0; i < verdicts.length; i += 100) {
        const messages = verdicts.slice(i, i + 100).map((data, n) =>
          ({ type: 'verdict.v1', data, id: `${i + n}`, receivedAt: 0, offset: i + n }) as const
        )
        await step.process(messages, out)
        await sleep(20)
      }
    })()
    work.catch(() => {})
    for (let round = 0; round < 2; round++) {
      await sleep(300)
      await server.kill()
      await sleep(300)
      await server.restart()
    }
    await work
    t.ok(troubles > 0, `it was away for ${troubles} attempts`)
    t.strictSame(await database.verdicts('killed', ALWAYS, 10_000), verdicts)
  })

  t.test(`${kind}: how many verdicts of 12 channels it takes, with their raw channels`, async (t) => {
    const database = await open(env)
    t.teardown(async () => database.close())
    const values = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`channel_${i}_unit`, 100 * Math.sin(i + 1)])
    )
    const shares = Object.keys(values)
      .map((channel, i) => ({ channel, contribution: Math.abs(Math.cos(i)) }))
      .sort((a, b) => b.contribution - a.contribution)
    const fast = kind === 'influx'
    const batches = Array.from(
      { length: fast ? 40 : 8 },
      (_, batch) =>
        Array.from({ length: 1000 }, (_, i) =>
          verdict(`fast ${i % 100}`, 10 * batch + Math.floor(i / 100), {
            values,
            expected: values,
            contributions: shares,
          }))
    )
    const began = performance.now()
    for (const verdicts of batches) {
      await database.write(
        batchOf({ verdicts, observations: verdicts.map(({ series, time, values }) => ({ series, time, values })) })
      )
    }
    const rate = Math.round(1000 * 1000 * batches.length / (performance.now() - began))
    t.comment(`${kind}: ${rate} verdicts a second`)
    t.ok(rate > (fast ? 2000 : 300), `${rate} verdicts a second`)
    const reading = performance.now()
    t.equal((await database.fleet()).filter(({ series }) => series.startsWith('fast ')).length, 100)
    t.equal((await database.verdicts('fast 0', ALWAYS, 10_000)).length, 10 * batches.length)
    t.comment(`${kind}: fleet and one series read in ${Math.round(performance.now() - reading)} ms`)
  })
}

t.test('influx: raw channels are fetched for retraining', async (t) => {
  const database = await open(INFLUX)
  const observations = Array.from(
    { length: 300 },
    (_, i) => ({
      series: i % 2 === 0 ? 'T1' : 'T 2',
      time: new Date(BEGIN + 86_400_000 + 1000 * (i >> 1)).toISOString(),
      values: { wind_speed_ms: i / 3, power_kw: i % 5 === 0 ? null : 100 + i },
    })
  )
  await database.write(batchOf({ observations }))
  await database.write(batchOf({ observations: observations.slice(0, 100) }))
  await database.write(
    batchOf({ observations: [{ series: 'T1', time: observations[0]!.time, values: { power_kw: 5 } }] })
  )
  const out = join(t.testdir(), 'fetched')
  let printed = ''
  const args = [
    '--from',
    'influx',
    '--bucket',
    'measurements',
    '--measurement',
    'observation',
    '--series',
    'series',
    '--start',
    new Date(BEGIN + 86_400_000).toISOString(),
    '--stop',
    new Date(BEGIN + 2 * 86_400_000).toISOString(),
    '--out',
    out,
  ]
  await data(args, (text) => {
    printed += text
  }, INFLUX)
  t.match(printed, /2 series, 300 rows/)
  const [header, first, second] = readFileSync(join(out, 'T1.csv'), 'utf8').split('\n')
  t.equal(header, 'timestamp,power_kw,wind_speed_ms')
  t.equal(first, `${observations[0]!.time},5,0`, 'another channel of the same instant joins it')
  t.equal(second, `${observations[2]!.time},102,${2 / 3}`)
  await database.close()
})

t.test('influx: what is refused names its cause, and what will never be taken is told from what may be', async (t) => {
  const write = async (
    env: Record<string, string>,
    series = 'a',
    values: Record<string, number> = { x: 1 }
  ): Promise<void> => {
    const database = await open(env)
    await database.write(
      batchOf({ observations: [{ series, time: verdict(series, 0).time, values }], verdicts: [verdict(series, 0)] })
    )
    await database.close()
  }
  await t.rejects(write({ ...INFLUX, INFLUX_TOKEN: 'wrong-secret' }), {
    code: 'invalid-settings',
    message: /refuses the token; check INFLUX_TOKEN/,
  })
  await t.rejects(write({ ...INFLUX, INFLUX_ORG: 'nobody' }), {
    code: 'invalid-settings',
    message: /has no organisation "nobody".*INFLUX_ORG/,
  })
  // Somebody else has written whole numbers there, which InfluxDB never turns into others.
  const response = await fetch(`${influx.url}/api/v2/write?org=${influx.org}&bucket=measurements&precision=ms`, {
    method: 'POST',
    headers: { authorization: `Token ${influx.token}` },
    body: `observation,series=taken speed=1i ${BEGIN}`,
  })
  t.equal(response.status, 204)
  await t.rejects(write(INFLUX, 'taken', { speed: 2 }), {
    code: 'invalid-request',
    message: /refuses it for the bucket "measurements": .*speed/,
  })
  const rejected: string[] = []
  const database = await open(INFLUX)
  const step = await sinkKind({ database }).open(undefined, new AbortController().signal)
  const messages = Array.from(
    { length: 5 },
    (_, offset) =>
      ({
        type: 'observation.raw.v1',
        id: `${offset}`,
        receivedAt: 0,
        offset,
        data: {
          series: 'taken',
          time: verdict('a', offset).time,
          values: offset === 3 ? { speed: 0.5 } : { other: 1 },
        },
      }) as const
  )
  await step.process(messages, {
    send: () => {},
    drop: () => {},
    reject: ({ offset }, code) => {
      rejected.push(`${offset} ${code}`)
    },
  })
  t.strictSame(rejected, ['3 refused-by-database'])
  await database.close()
  // A bucket of one's own is made; a token that may not make one is told so.
  await write({ ...INFLUX, INFLUX_BUCKET: 'another one', INFLUX_RAW_BUCKET: 'raw, too' })
  const narrow = await restrictedToken()
  await t.rejects(write({ ...INFLUX, INFLUX_TOKEN: narrow, INFLUX_BUCKET: 'not there' }), {
    code: 'invalid-settings',
    message: /bucket "not there"/,
  })
  await write({ ...INFLUX, INFLUX_TOKEN: narrow })
})

/** May write and read two buckets, and nothing else: what an operator should give out. */
async function restrictedToken (): Promise<string> {
  const headers = { authorization: `Token ${influx.token}`, 'content-type': 'application/json' }
  const { buckets } = await (await fetch(`${influx.url}/api/v2/buckets?org=${influx.org}`, { headers })).json() as {
    buckets: Array<{ id: string, name: string, orgID: string }>,
  }
  const own = buckets.filter(({ name }) => ['stream', 'measurements'].includes(name))
  const permissions = own.flatMap(({ id, orgID }) =>
    ['read', 'write'].map((action) => ({ action, resource: { type: 'buckets', id, orgID } }))
  )
  const answer = await fetch(`${influx.url}/api/v2/authorizations`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ orgID: own[0]!.orgID, permissions }),
  })
  return (await answer.json() as { token: string }).token
}

t.test('cassandra: what is refused names its cause', async (t) => {
  const database = await open({ ...CASSANDRA, CASSANDRA_LOCAL_DC: 'elsewhere' })
  await t.rejects(database.write(batchOf({ verdicts: [verdict('a', 0)] })), {
    code: 'invalid-settings',
    message: /has no data centre "elsewhere"; check CASSANDRA_LOCAL_DC/,
  })
  await database.close()
  const nobody = await open({ ...CASSANDRA, CASSANDRA_CONTACT_POINTS: '127.0.0.1:1' })
  await t.rejects(nobody.write(batchOf({ incidents: [incident('a', 'a/1')] })), { code: 'server-unavailable' })
  await nobody.close()
})

/** Queries as InfluxDB's pages and Grafana run them: with the variables of the dashboard set. */
async function rowsOf (query: string): Promise<number> {
  const imports = query.split('\n').filter((line) => line.startsWith('import '))
  const rest = query.split('\n').filter((line) => !line.startsWith('import '))
  const [from, to] = [new Date(BEGIN - 3_600_000), new Date(BEGIN + 3_600_000)].map((time) => time.toISOString())
  const option = `option v = {timeRangeStart: ${from}, timeRangeStop: ${to}, windowPeriod: 10s, ` +
    'defaultBucket: "dashboards", stream_bucket: "dashboards", raw_bucket: "dashboards raw", series: "T 1", ' +
    'channel: "power_kw"}'
  const response = await fetch(`${influx.url}/api/v2/query?org=${influx.org}`, {
    method: 'POST',
    headers: {
      authorization: `Token ${influx.token}`,
      'content-type': 'application/vnd.flux',
      accept: 'application/csv',
    },
    body: [...imports, option, ...rest].join('\n'),
  })
  const text = await response.text()
  if (!response.ok || text.includes(',error,')) throw new Error(`${text}\nof\n${query}`)
  return text.split('\n').filter((line) => /^,,?[^,]*,\d+,|^,[^,]*,\d+,/.test(line)).length
}

t.test('dashboards: applied twice they are there once, and every query of both finds rows', async (t) => {
  const env = { ...INFLUX, INFLUX_BUCKET: 'dashboards', INFLUX_RAW_BUCKET: 'dashboards raw' }
  const database = await open(env)
  const verdicts = ['T 1', 'T 2'].flatMap((series) => Array.from({ length: 60 }, (_, i) => verdict(series, i)))
  await database.write(
    batchOf({
      verdicts,
      observations: verdicts.map(({ series, time, values }) => ({ series, time, values })),
      incidents: [incident('T 1', 'T 1/1'), incident('T 1', 'T 1/1', { end: verdict('', 110).time, closed: true })],
    })
  )
  await database.close()
  const settings = { ...INFLUX, INFLUX_BUCKET: 'dashboards', INFLUX_RAW_BUCKET: 'dashboards raw' }
  const id = await applyToInflux(settings)
  t.equal(await applyToInflux(settings), id)
  const command = await run(process.execPath, ['--import', 'tsx', 'scripts/dashboards.ts'], { cwd: root, env })
  t.equal(command.stdout, `dashboards  ${influx.url}/dashboards/${id}\n`, command.stderr)
  const headers = { authorization: `Token ${influx.token}` }
  const { dashboards } = await (await fetch(`${influx.url}/api/v2/dashboards`, { headers })).json() as {
    dashboards: Array<{ cells: unknown[] }>,
  }
  t.strictSame(dashboards.map(({ cells }) => cells.length), [5])
  const { variables } = await (await fetch(`${influx.url}/api/v2/variables`, { headers })).json() as {
    variables: Array<{ name: string }>,
  }
  t.strictSame(variables.map(({ name }) => name).sort(), ['channel', 'raw_bucket', 'series', 'stream_bucket'])
  const template = JSON.stringify(influxTemplate('dashboards', 'dashboards raw'))
  const grafana = JSON.stringify(grafanaDashboard('dashboards raw'))
  const filled = Object.entries({ 'series:json': '"T 1"', 'channel:json': '"power_kw"', raw_bucket: 'dashboards raw' })
  const queries = [template, grafana].flatMap((text) =>
    [...text.matchAll(/"query":("(?:[^"\\]|\\.)*")/g)].map(([, query]) => JSON.parse(query!) as string)
  ).filter((query) => query.includes('bucket:'))
  t.equal(queries.length, 14)
  for (const query of queries) {
    const flux = filled.reduce((text, [name, value]) => text.replaceAll('$' + `{${name}}`, value), query)
    t.notMatch(flux, /\$\{/)
    const rows = await rowsOf(flux)
    t.ok(rows > 0, `${rows} rows of ${flux.trimEnd().split('\n').at(-1)!.trim()}`)
  }
})
