// The embedded default, `npm start`: everything in one place, no server, no download. Makes the data and trains the
// model where there is none yet, then serves, and streams a simulated fleet. The only file that knows several
// components; training runs in a process of its own, because a process has one TensorFlow.js backend and serving may
// choose another than training.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findKey } from './adapters/http/api-keys.ts'
import { DEFAULT_REGISTRY } from './adapters/registry/open-store.ts'
import type { Extension } from './model-serving/app.ts'
import type { Config } from './model-serving/settings/config.ts'
import { runService } from './model-serving/serve.ts'
import { isEnforced } from './model-serving/settings/access.ts'
import type { EmbeddedStream } from './pipelines/embedded/embedded.ts'

const here = dirname(fileURLToPath(import.meta.url))
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** On the first start; its progress goes to this terminal. */
async function makeModel (signal: AbortSignal): Promise<void> {
  const program = join(here, `model-creation/first-model.${extension}`)
  const child = spawn(process.execPath, [...process.execArgv, program, '--registry', DEFAULT_REGISTRY], {
    stdio: ['ignore', 2, 2],
    signal,
    killSignal: 'SIGTERM',
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) throw new Error(`the first model was not made: status ${code}`)
}

/** One's own MODELS_DIR or MODEL_REGISTRY is never written to. */
const isEmpty = ({ registry: { location } }: Config): boolean =>
  location === DEFAULT_REGISTRY && !existsSync(join(DEFAULT_REGISTRY, 'models'))

const opened: { stream?: EmbeddedStream } = {}

/** The page at `/`, and what is streamed to it; nothing where STREAM=off. */
async function addStream ({ access }: Config): Promise<Extension | undefined> {
  if (process.env['STREAM'] === 'off') return undefined
  return {
    home: true,
    add: async (app, tracer) => {
      // Read while the threads start.
      const { openEmbeddedStream } = await import('./pipelines/embedded/embedded.ts')
      const stream = await openEmbeddedStream(process.env, app.log.child({ part: 'stream' }), tracer)
      opened.stream = stream
      app.addHook('onClose', async () => stream.close())
      await stream.mount(app, {
        config: { scope: 'score' },
        admits: (key) => !isEnforced(access) || (key !== undefined && findKey(access.keys, key) !== undefined),
        links: [{ href: '/score', text: 'Score a file' }, { href: '/docs', text: 'API docs' }],
      })
    },
  }
}

await runService({
  prepare: (config, stopped) => isEmpty(config) ? async () => makeModel(stopped) : undefined,
  extend: addStream,
  onReady: (url) => {
    opened.stream?.start().catch(() => {})
    // For people, and so not between the lines of the log.
    process.stderr.write(
      `Ready: ${url} (${opened.stream === undefined ? 'page' : 'live fleet'}), ${url}/docs (API). Stop with Ctrl-C.\n`
    )
  },
})
