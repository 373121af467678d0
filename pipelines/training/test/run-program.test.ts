// Programs as child processes: what they print, how they fail, and that nothing of them outlives its time.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { runProgram } from '../run-program.ts'

const run = async (script: string, given: { limitMs?: number, signal?: AbortSignal, program?: string } = {}) =>
  runProgram({
    what: 'the program',
    program: given.program ?? process.execPath,
    args: ['-e', script],
    env: { PATH: process.env['PATH'] },
    limitMs: given.limitMs ?? 30_000,
    signal: given.signal,
  })

t.test('what it prints is returned', async (t) => {
  t.equal(await run('process.stdout.write("a\\nb"); process.stderr.write("progress\\n")'), 'a\nb')
})

t.test('why it failed is told in a sentence', async (t) => {
  await t.rejects(
    run(
      'console.error("error no-training-data: There is no .csv file.\\nERROR: failed to reproduce"); process.exit(1)'
    ),
    { code: 'no-training-data', message: 'the program failed: There is no .csv file.' }
  )
  await t.rejects(run('console.error("working\\nERROR: failed to pull\\nbye"); process.exit(255)'), {
    code: 'internal-error',
    message: 'the program failed: ERROR: failed to pull',
  })
  await t.rejects(run('process.exit(3)'), { message: 'the program failed: it ended with 3' })
  await t.rejects(run('', { program: '/nowhere/dvc' }), { message: /^the program failed: .*ENOENT/ })
})

t.test('what takes too long ends with its children', async (t) => {
  const began = performance.now()
  // A child of its own, that would hold the pipes open for a minute.
  await t.rejects(
    run('require("child_process").spawn("sleep", ["60"], { stdio: "inherit" }); setTimeout(() => {}, 60_000)', {
      limitMs: 1200,
    }),
    { message: 'the program took longer than 0.02 minutes and was ended.' }
  )
  t.ok(performance.now() - began < 15_000)
})

t.test('what is stopped from outside ends, too', async (t) => {
  const stop = new AbortController()
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  t.teardown(async () => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const rejected = t.rejects(
    run(`require("net").connect(${port}, "127.0.0.1"); setTimeout(() => {}, 60_000)`, { signal: stop.signal }),
    { message: 'the program was stopped.' }
  )
  // The program connects once it runs.
  await once(server, 'connection', { signal: AbortSignal.timeout(30_000) })
  stop.abort()
  await rejected
  await t.rejects(
    run('setTimeout(() => {}, 60_000)', { signal: stop.signal }),
    { message: 'the program was stopped.' },
    'nor does another one begin'
  )
})
