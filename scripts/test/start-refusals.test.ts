// `npm start` that is stopped before it is ready, or cannot serve: it ends at once, and says why.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { root, start } from './start-program.ts'

t.test('a stop while the model is being made ends everything at once', { timeout: 60_000 }, async (t) => {
  const cwd = t.testdir({
    'model-creation': { 'params.yaml': t.fixture('symlink', join(root, 'model-creation/params.yaml')) },
  })
  const service = await start(t, cwd)
  while (!service.output().includes('listening')) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  t.match(
    service.output(),
    /^\{"level":30,.*"msg":"listening on .*"\}$/m,
    'the log is JSON lines where nobody sits at a terminal'
  )
  t.equal((await fetch(`${service.url}/livez`)).status, 200, 'alive while it trains')
  t.equal((await fetch(`${service.url}/readyz`)).status, 503, 'and not ready')
  t.equal(await service.stop(), 0)
  t.notOk(existsSync(join(cwd, 'model-creation/out/models/wind-turbine')), 'no half-made package')
  t.notMatch(service.output(), /cannot be served|\n\s+at /, 'and nobody is told of a failure')
})

t.test('a wrong setting and a taken port are told in one line, with the remedy', { timeout: 60_000 }, async (t) => {
  const cwd = t.testdir({ '.env': 'SERVICE_PORT=abc\nMAX_VALUES=none\n' })
  const run = (env: Record<string, string>) =>
    spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), join(root, 'start.ts')], {
      cwd,
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env['PATH'], ...env },
    })
  t.match(run({ MAX_VALUES: '-1' }), {
    status: 1,
    stdout: '',
    stderr: /^invalid-settings: SERVICE_PORT is "abc": a whole number .* MAX_VALUES is "-1": .*\n$/,
  }, 'of the .env, and of the environment, which counts more')
  const holder = createServer()
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() =>
    new Promise((resolve) => {
      holder.close(resolve)
    })
  )
  const { port } = holder.address() as { port: number }
  t.match(run({ SERVICE_PORT: String(port), MAX_VALUES: '' }), {
    status: 1,
    stdout: '',
    stderr: new RegExp(
      `^invalid-settings: Cannot listen on 127\\.0\\.0\\.1, port ${port}: the port is taken; .*SERVICE_PORT.*\\n$`
    ),
  })
  t.notOk(existsSync(join(cwd, 'model-creation')), 'and nothing was made')
})
