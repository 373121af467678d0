// Tasks of engines in memory: the queue, the order of events, the notices to engines, the journal, and the hosts that
// are called.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createHttpClient, type HttpAnswer, type HttpClient } from '../adapters/http-client.ts'
import { HostGuard, isForbiddenAddress } from '../adapters/host-guard.ts'
import { StoreFailure } from '../adapters/object-store.ts'
import { Problem } from '../../core/errors.ts'
import { pause } from '../../adapters/waiting.ts'
import { FormTask } from '../tasks/form-task.ts'
import { Journal } from '../tasks/journal.ts'
import { Messenger } from '../tasks/messenger.ts'
import type { Notice, Task } from '../tasks/task.ts'
import { Tasks, type TasksOptions } from '../tasks/tasks.ts'
import type { Scorer } from '../workers/scorer.ts'

t.setTimeout(60_000)

const never = new AbortController().signal
const silent = Fastify().log
const answered = { bodies: [new Uint8Array([1])], model: 'small@1', observations: 3, anomalous: 1, channels: 1 }

/** Records notices, and answers them as the test says. */
function telling (answer: (n: number) => HttpAnswer | Error = () => ({ status: 200, body: null })) {
  const notices: Notice[] = []
  const http: HttpClient = {
    send: async (notice) => {
      notices.push(notice)
      const said = answer(notices.length)
      if (said instanceof Error) throw said
      return said
    },
    close: async () => {},
  }
  return { notices, http }
}

const taskOf = (id: string, changes: Partial<Task> = {}): Task => ({
  id,
  outputs: ['application/json'],
  fetch: async () => ({ body: new Uint8Array([7]), mediaType: 'application/octet-stream', contentType: '' }),
  save: async () => ({ method: 'PATCH', url: `http://e/${id}`, body: 'finished' }),
  failed: (message) => ({ method: 'PATCH', url: `http://e/${id}`, body: message }),
  progressed: () => ({ method: 'PATCH', url: `http://e/${id}`, body: 'processing' }),
  ...changes,
})

interface Around { http?: HttpClient, answer?: Scorer['answer'], folder?: string }

function tasksOf (
  t: Test,
  { http = telling().http, answer = async () => answered, folder = join(t.testdir({}), 'tasks') }: Around = {},
  changes: Partial<TasksOptions> = {}
): Tasks {
  const tasks = new Tasks({
    maxTasks: 3,
    concurrency: 1,
    retryDelayMs: 10,
    storageRetryMs: 200,
    tellsProgress: false,
    model: undefined,
    scorer: { answer },
    messenger: new Messenger({ http, retryDelayMs: 5, retryMs: 2000, log: silent }),
    journal: new Journal(folder, silent),
    log: silent,
    ...changes,
  })
  t.teardown(async () => tasks.close(0))
  return tasks
}

/** Waits at most two seconds for the condition. */
async function until (condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 2000) throw new Error('it did not happen')
    await pause(5, never)
  }
}

t.test('a task goes through its stages, is told once, and is forgotten on disk', async (t) => {
  const folder = join(t.testdir({}), 'tasks')
  const { notices, http } = telling()
  const stages: unknown[] = []
  const tasks: Tasks = tasksOf(t, {
    http,
    folder,
    answer: async (task) => {
      stages.push(tasks.statusOf('a'), task.body)
      return answered
    },
  })
  const save: Task['save'] = async (bodies) => {
    stages.push(tasks.statusOf('a'), bodies)
    return { method: 'PATCH', url: 'http://e/a', body: 'finished' }
  }
  t.equal(tasks.take(taskOf('a', { save })), true)
  t.equal(tasks.statusOf('a'), 'fetching')
  t.same(readdirSync(folder), ['a.json'], 'noted before anybody hears that it is taken')
  await until(() => tasks.statusOf('a') === 'finished')
  t.same(stages, ['processing', new Uint8Array([7]), 'saving', answered.bodies])
  t.same(notices.map(({ body }) => body), ['finished'])
  t.same(readdirSync(folder), [])
  t.same(tasks.describe(), { unfinished: 0, untold: 0, limit: 3 })
  t.equal(tasks.statusOf('b'), undefined)
})

t.test('the queue is bounded, a task under way is not taken twice, and a finished task frees its place', async (t) => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => { go = resolve })
  const { notices, http } = telling()
  const tasks = tasksOf(t, { http, answer: async () => { await gate; return answered } })
  t.same(['a', 'b', 'c', 'd', 'a'].map((id) => tasks.take(taskOf(id))), [true, true, true, false, true])
  t.same(tasks.describe(), { unfinished: 3, untold: 0, limit: 3 })
  go()
  await until(() => notices.length === 3)
  t.equal(tasks.take(taskOf('d')), true)
  await until(() => notices.length === 4)
  t.same(notices.map(({ url }) => url.slice(-1)), ['a', 'b', 'c', 'd'])
})

t.test('what cannot be done is told as a sentence; faults of the service itself stay in its log', async (t) => {
  const { notices, http } = telling()
  const faults = [
    new Problem('series-too-short', 'The series has 3 observations.'),
    new Error('secret detail'),
    new Problem('internal-error', 'secret detail'),
  ]
  const tasks = tasksOf(t, { http, answer: async () => Promise.reject<never>(faults.shift() ?? new Error('no more')) })
  for (const id of ['a', 'b', 'c']) tasks.take(taskOf(id))
  await until(() => notices.length === 3)
  t.equal(notices[0]!.body, 'The series has 3 observations.')
  for (const { body } of notices.slice(1)) {
    t.match(body, /^The service failed on this series; its log has the reason, under the task/)
  }
  tasks.take(taskOf('d', {
    fetch: async () => {
      throw new StoreFailure('There is no object "x.csv".')
    },
  }))
  await until(() => notices.length === 4)
  t.equal(notices[3]!.body, 'There is no object "x.csv".')
  t.equal(tasks.statusOf('d'), 'error')
})

t.test('a store that fails is tried again, outside of the queue: others go on meanwhile', async (t) => {
  const { notices, http } = telling()
  const tasks = tasksOf(t, { http }, { retryDelayMs: 50, storageRetryMs: 1000 })
  let failures = 2
  const flaky: Task['fetch'] = async () => {
    if (failures-- > 0) throw new Error('ECONNREFUSED')
    return { body: new Uint8Array([7]), mediaType: 'application/octet-stream', contentType: '' }
  }
  tasks.take(taskOf('flaky', { fetch: flaky }))
  tasks.take(taskOf('quick'))
  await until(() => notices.length === 2)
  t.same(notices.map(({ url }) => url.slice(9)), ['quick', 'flaky'])
  t.same(notices.map(({ body }) => body), ['finished', 'finished'])
})

t.test('a store that is down for too long fails the task; saving is retried like fetching', async (t) => {
  const { notices, http } = telling()
  const tasks = tasksOf(t, { http }, { storageRetryMs: 50 })
  tasks.take(taskOf('a', { fetch: async () => { throw new Error('Object store http://s: connect ECONNREFUSED') } }))
  let saves = 0
  tasks.take(taskOf('b', {
    save: async () => {
      if (++saves < 3) throw new Error('down')
      return { method: 'PATCH', url: 'http://e/b', body: 'finished' }
    },
  }))
  await until(() => notices.length === 2)
  t.same(notices.map(({ url, body }) => [url.slice(-1), body]).sort(), [
    ['a', 'Object store http://s: connect ECONNREFUSED'],
    ['b', 'finished'],
  ])
  t.equal(saves, 3)
})

t.test('an outcome is delivered until the engine takes or refuses it, even behind a proxy', async (t) => {
  const answers: Array<HttpAnswer | Error> = [new Error('refused'), { status: 503, body: '' }, {
    status: 404,
    body: '404 page not found',
  }, { status: 200, body: null }]
  const { notices, http } = telling((n) => answers[n - 1]!)
  const folder = join(t.testdir({}), 'tasks')
  const tasks = tasksOf(t, { http, folder })
  tasks.take(taskOf('a'))
  await until(() => tasks.statusOf('a') === 'finished')
  t.equal(notices.length, 4)
  for (const last of [
    { status: 404, body: { detail: 'Task Not Found' } },
    { status: 422, body: { detail: 'no' } },
    { status: 302, body: '' },
  ]) {
    const engine = telling(() => last)
    const messenger = new Messenger({ http: engine.http, retryDelayMs: 1, retryMs: 5000, log: silent })
    t.equal(await messenger.deliver('a', taskOf('a').failed('x'), never), true, `${last.status} is the last word`)
    t.equal(engine.notices.length, 1)
  }
  const gone = telling(() => new Error('gone'))
  t.equal(
    await new Messenger({ http: gone.http, retryDelayMs: 1, retryMs: 30, log: silent }).deliver(
      'a',
      taskOf('a').failed('x'),
      never
    ),
    false,
    'given up'
  )
  t.ok(gone.notices.length > 2)
})

t.test('progress is told only where it is wanted, and never after the outcome', async (t) => {
  const order: unknown[] = []
  const http: HttpClient = {
    send: async ({ body }) => {
      if (body === 'processing') await pause(50, never)
      order.push(body)
      return { status: 200, body: null }
    },
    close: async () => {},
  }
  const tasks = tasksOf(t, { http }, { tellsProgress: true })
  tasks.take(taskOf('a'))
  await until(() => tasks.statusOf('a') === 'finished')
  t.same(order, ['processing', 'finished'])
})

t.test('at the end what runs may finish, the rest is told, and nothing new is taken', async (t) => {
  const { notices, http } = telling()
  const folder = join(t.testdir({}), 'tasks')
  const tasks = tasksOf(t, {
    http,
    folder,
    answer: async (task, gone) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => { resolve(answered) }, 60)
      gone.addEventListener('abort', () => { clearTimeout(timer); reject(new Error('gone')) })
    })
  })
  for (const id of ['a', 'b', 'c']) tasks.take(taskOf(id))
  const closed = tasks.close(150)
  t.equal(tasks.take(taskOf('d')), false)
  await closed
  t.same(notices.map(({ url }) => url.slice(-1)).sort(), ['a', 'b', 'c'], 'every one is told')
  t.equal(notices.find(({ url }) => url.endsWith('a'))!.body, 'finished')
  t.match(notices.find(({ url }) => url.endsWith('c'))!.body, /^The service was stopped .* submit it again\.$/)
  t.same(readdirSync(folder), [])
})

t.test('an outcome that cannot be told before the end is left to the next start', async (t) => {
  const folder = join(t.testdir({}), 'tasks')
  const away = telling(() => new Error('away'))
  const first = tasksOf(t, { http: away.http, folder })
  first.take(taskOf('a'))
  await until(() => away.notices.length > 1)
  await first.close(50)
  t.same(readdirSync(folder), ['a.json'])
  const { notices, http } = telling()
  const second = tasksOf(t, { http, folder })
  second.recover()
  await until(() => second.statusOf('a') === 'error' && notices.length === 1)
  t.match(notices[0]!.body, /^The service ended unexpectedly .* submit it again\.$/)
  await until(() => readdirSync(folder).length === 0)
})

t.test('notes of running processes stay, truncated ones go, and an unusable folder stops no task', async (t) => {
  const folder = t.testdir({})
  const notice: Notice = { method: 'PATCH', url: 'http://e/x', body: 'lost' }
  writeFileSync(join(folder, 'alive.json'), JSON.stringify({ pid: process.ppid, id: 'alive', notice }))
  writeFileSync(join(folder, 'gone.json'), JSON.stringify({ pid: 999_999_999, id: 'gone', notice }))
  writeFileSync(join(folder, 'torn.json'), '{"pid":')
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ pid: process.pid, id: 'own', notice }))
  t.same(new Journal(folder, silent).takeOver().map(({ id }) => id).sort(), ['gone', 'own'])
  t.same(readdirSync(folder).sort(), ['alive.json', 'gone.json', 'own.json'])
  t.match(
    JSON.parse(readFileSync(join(folder, 'gone.json'), 'utf8')),
    { pid: process.pid },
    'answered for by this process'
  )
  const blocked = join(t.testdir({ file: '' }), 'file')
  const journal = new Journal(blocked, silent)
  journal.begin('a', notice)
  t.same(journal.takeOver(), [])
})

t.test('an id is a file of its own, whatever is in it', async (t) => {
  const folder = join(t.testdir({}), 'inner', 'tasks')
  mkdirSync(folder, { recursive: true })
  const journal = new Journal(folder, silent)
  for (const id of ['../../escape', 'a/b', '..']) {
    journal.begin(id, { method: 'POST', url: 'http://e', body: '' })
    t.equal(readdirSync(folder).length, 1, id)
    journal.end(id)
  }
})

t.test('a task of 2022 is told its JSON as it is, anything else as a form, a failure as one', async (t) => {
  const input = { body: new Uint8Array(), mediaType: 'multipart/form-data' as const, contentType: '' }
  const callback = new URL('http://e/tasks/31/processing?x=1')
  const one = new FormTask({ id: '31', callback, input, outputs: ['application/json'], names: ['result'] })
  t.match(await one.save([new TextEncoder().encode('{"a":1}')]), {
    method: 'POST',
    url: 'http://e/tasks/31/processing?x=1&task_id=31',
    contentType: 'application/json',
  })
  t.match(one.failed('no numbers'), { method: 'POST', body: '{"type":"error","message":"no numbers"}' })
  const two = new FormTask({
    id: '31',
    callback,
    input,
    outputs: ['image/png', 'application/json'],
    names: ['plot', 'result'],
  })
  const { body, contentType } = await two.save([new Uint8Array([1, 2]), new Uint8Array([3])])
  const form = await new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': contentType! } })
    .formData()
  t.same([...form.keys()], ['plot', 'result'])
  t.equal((form.get('plot') as Blob).type, 'image/png')
  t.equal(two.progressed(), undefined)
})

t.test('only listed hosts are called; this machine has one name', async (t) => {
  const guard = new HostGuard(['engine.example.org', 'minio:9000', '127.0.0.1'])
  for (const url of [
    'http://engine.example.org/x',
    'https://ENGINE.example.org:444/',
    'http://engine.example.org./',
    'http://minio:9000/',
    'http://localhost:1/',
    'http://[::1]:1/',
    'http://127.9.9.9/',
    'http://0x7f000001/',
    'http://[::ffff:127.0.0.1]/',
  ]) {
    t.doesNotThrow(() => guard.check(url), url)
  }
  for (const url of [
    'http://other/',
    'http://minio/',
    'http://minio:9001/',
    'http://engine.example.org.evil.com/',
    'http://engine.example.org@evil.com/',
    'ftp://engine.example.org/',
    'file:///etc/passwd',
    'x',
    '',
    'http://169.254.169.254/',
    'http://2852039166/',
  ]) {
    t.throws(() => guard.check(url), { name: 'HostRefused' }, url)
  }
  const careless = new HostGuard(
    ['169.254.169.254', 'fd00:ec2::254', '[fe80::1]', '0.0.0.0', '100.100.100.200', '64:ff9b::a9fe:a9fe'].map((host) =>
      host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
    )
  )
  for (const url of [
    'http://169.254.169.254/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://0.0.0.0/',
    'http://100.100.100.200/',
    'http://[64:ff9b::a9fe:a9fe]/',
  ]) {
    t.throws(() => careless.check(url), { message: /never called/ }, `${url}, though it is listed`)
  }
})

t.test('no link-local address passes, however it is written', async (t) => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 65_535 }), (low) => {
    const four = `169.254.${low >> 8}.${low & 255}`
    const hex = low.toString(16).padStart(4, '0')
    return [four, `::ffff:${four}`, `::ffff:a9fe:${hex}`, `fe80::${hex}`, `fe80::${hex}%eth0`].every(isForbiddenAddress)
  }))
  for (const address of [
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '127.0.0.1',
    '::1',
    'fd12::1',
    '8.8.8.8',
    '2a00::1',
  ]) t.notOk(isForbiddenAddress(address), address)
})

t.test('names are looked at again when they are resolved, and redirects are not followed', async (t) => {
  const guard = new HostGuard(['localhost'])
  const looked = async (name: string, all: boolean): Promise<unknown> =>
    new Promise((resolve) => {
      guard.lookup(name, { all }, (error, address) => {
        resolve(error ?? address)
      })
    })
  t.match(await looked('localhost', true), [{ address: /^(127\.|::1)/ }])
  t.match(await looked('localhost', false), /^(127\.|::1)/)
  t.match(await looked('0.0.0.0', true), { name: 'HostRefused' })
  t.match(await looked('no-such-host.invalid', true), { code: /ENOTFOUND|EAI_AGAIN/ })
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url!)
    if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end()
    else if (request.url === '/endless') response.writeHead(200).end('x'.repeat(2_000_000))
    else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        '{"authorization":' + JSON.stringify(request.headers.authorization ?? null) + '}'
      )
    }
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const http = createHttpClient({ lookup: guard.lookup, token: { value: 'abc', origins: [origin] } })
  t.teardown(async () => { await http.close(); server.close() })
  t.match(await http.send({ method: 'GET', url: `${origin}/moved` }, 2000), { status: 302 })
  t.same(paths, ['/moved'])
  await t.rejects(http.send({ method: 'GET', url: `${origin}/endless` }, 2000), 'an answer without end is cut off')
  t.same(
    (await http.send({ method: 'GET', url: `${origin}/` }, 2000)).body,
    { authorization: 'Bearer abc' },
    'the token goes to the engine'
  )
  t.same((await http.send({ method: 'GET', url: `http://127.0.0.1:${new URL(origin).port}/` }, 2000)).body, {
    authorization: null,
  }, 'and nowhere else')
})
