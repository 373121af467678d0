// The embedded database: the laws of every database, that it holds no more than it may, and that it outlives a process
// that is killed.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../../adapters/settings/values.ts'
import { DATABASE_SETTINGS } from '../../settings/database.ts'
import type { Database } from '../database.ts'
import { openDatabase } from '../../adapters/open-database.ts'
import { batchOf, BEGIN, LAWS, verdict } from './laws.ts'

const folder = t.testdir()
const open = async (env: Record<string, string>): Promise<Database> =>
  openDatabase(parseSettings(z.object(DATABASE_SETTINGS), env))
const ALWAYS = { from: -Infinity, to: Infinity }

t.test('the laws of a database', async (t) => {
  const database = await open({ STREAM_STORE: join(folder, 'in/a/folder/history.sqlite') })
  for (const [i, [name, law]] of Object.entries(LAWS).entries()) {
    await t.test(name, async (t) =>
      law(t, database, `own ${i} `))
  }
  await database.close()
})

t.test('the oldest make room, and the file stops growing', async (t) => {
  const file = join(folder, 'bounded.sqlite')
  const database = await open({ STREAM_STORE: file, STREAM_KEEP: '1000' })
  const series = ['a', 'b']
  const sizes: number[] = []
  for (let batch = 0; batch < 6; batch++) {
    await database.write(
      batchOf({
        verdicts: Array.from({ length: 1500 }, (_, i) => verdict(series[i % 2]!, 750 * batch + Math.floor(i / 2))),
      })
    )
    sizes.push(
      (await database.verdicts('a', ALWAYS, 100_000)).length + (await database.verdicts('b', ALWAYS, 100_000)).length
    )
  }
  t.ok(sizes.every((size) => size <= 1000 + 2000), `it held ${Math.max(...sizes)}`)
  t.ok(sizes.every((size) => size >= 1000))
  const [newest] = await database.verdicts('a', ALWAYS, 1)
  t.equal(Date.parse(newest!.time), BEGIN + 1000 * (750 * 6 - 1))
  await database.close()
  t.ok(statSync(file).size < 3500 * 600, `${statSync(file).size} bytes`)
})

const moduleAt = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href)

/** A program that writes a batch, prints `kept`, and goes on writing until it is killed. */
const VICTIM = (file: string): string => `
  import { openDatabase } from ${moduleAt('../../adapters/open-database.ts')}
  import { verdict, batchOf } from ${moduleAt('laws.ts')}
  const settings = { STREAM_DATABASE: 'sqlite', STREAM_STORE: ${JSON.stringify(file)}, STREAM_KEEP: 100_000 }
  const database = await openDatabase(settings)
  const batch = (series, from) =>
    batchOf({ verdicts: Array.from({ length: 500 }, (_, i) => verdict(series, from + i)) })
  await database.write(batch('a', 0))
  process.stdout.write('kept')
  for (let n = 1; ; n++) await database.write(batch('later', 500 * n))
`

t.test(
  'a killed process does not stop the next one, and what it had stored is there',
  { timeout: 60_000 },
  async (t) => {
    const file = join(folder, 'killed.sqlite')
    const script = join(folder, 'victim.mts')
    writeFileSync(script, VICTIM(file))
    const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => { resolve() })
      child.once('exit', () => { reject(new Error('it ended')) })
    })
    await t.rejects(open({ STREAM_STORE: file }), {
      code: 'invalid-settings',
      message: new RegExp(`STREAM_STORE: the process ${child.pid} uses .*end it`),
    })
    const ended = new Promise((resolve) => { child.once('exit', resolve) })
    child.kill('SIGKILL')
    await ended
    t.ok(existsSync(`${file}.lock`), 'its lock is still there')
    const database = await open({ STREAM_STORE: file })
    t.strictSame(await database.verdicts('a', ALWAYS, 1000), Array.from({ length: 500 }, (_, i) => verdict('a', i)))
    t.equal((await database.verdicts('later', ALWAYS, 1e6)).length % 500, 0, 'batches are whole')
    await database.close()
    t.notOk(existsSync(`${file}.lock`) || existsSync(`${file}.owner`))
  }
)

t.test('a note of a process whose id another process has now does not count', async (t) => {
  const file = join(folder, 'reused.sqlite')
  mkdirSync(`${file}.lock`)
  writeFileSync(`${file}.owner`, JSON.stringify({ pid: 1, began: 'long ago' }))
  const database = await open({ STREAM_STORE: file })
  t.match(JSON.parse(readFileSync(`${file}.owner`, 'utf8')), { pid: process.pid })
  await t.rejects(open({ STREAM_STORE: file }), { code: 'invalid-settings' }, 'this process has it already')
  await database.close()
})

t.test('settings that do not work say what to do', async (t) => {
  const file = join(folder, 'text.sqlite')
  writeFileSync(
    file,
    'This is no database. It is longer than the header of a database, which has a hundred bytes. So SQLite reads it, ' +
      'and refuses it.'
  )
  await t.rejects(open({ STREAM_STORE: file }), { code: 'invalid-settings', message: /STREAM_STORE: .*move it away/ })
  t.notOk(existsSync(`${file}.owner`))
  await t.rejects(open({ INFLUX_URL: 'http://127.0.0.1:1' }), { code: 'invalid-settings', message: /INFLUX_TOKEN/ })
  await t.rejects(open({ INFLUX_URL: 'nowhere' }), { code: 'invalid-settings', message: /INFLUX_URL is "nowhere"/ })
  await t.rejects(open({ STREAM_DATABASE: 'cassandra' }), {
    code: 'invalid-settings',
    message: /CASSANDRA_CONTACT_POINTS/,
  })
  await t.rejects(
    open({ STREAM_DATABASE: 'cassandra', CASSANDRA_CONTACT_POINTS: 'a:9042', CASSANDRA_USERNAME: 'me' }),
    { code: 'invalid-settings', message: /CASSANDRA_PASSWORD/ }
  )
  const influx = await open({ INFLUX_URL: 'http://127.0.0.1:1', INFLUX_TOKEN: 'secret-token', INFLUX_ORG: 'plant' })
  t.notMatch(influx.location, /secret/)
  await t.rejects(
    influx.write(batchOf({ verdicts: [verdict('a', 0)] })),
    { code: 'server-unavailable' },
    'nobody is asked before the first use'
  )
  await influx.close()
})
