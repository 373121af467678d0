// `npm start`: the service and the stream in one process, without other servers or downloads. On the first start it
// makes the data and trains a model; after an upgrade that cannot read this model, it trains the model again. No other
// file imports several components. Training runs in its own process, because a process has only one TensorFlow.js
// backend and training may use another one than serving.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findKey } from './adapters/http/api-keys.ts'
import { needsFirstModel } from './adapters/registry/first-model.ts'
import { DEFAULT_REGISTRY } from './adapters/registry/open-store.ts'
import { readEnvironment } from './adapters/settings/environment.ts'
import type { Extension } from './model-serving/app.ts'
import type { Config } from './model-serving/settings/config.ts'
import { runService } from './model-serving/serve.ts'
import { isEnforced } from './model-serving/settings/access.ts'
import type { EmbeddedStream } from './pipelines/embedded/embedded.ts'

const here = dirname(fileURLToPath(import.meta.url))
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** Trains the first model if there is none that can be read. Its progress goes to this terminal. */
async function makeModel (signal: AbortSignal): Promise<void> {
  if (!await needsFirstModel('MODEL_REGISTRY', DEFAULT_REGISTRY, readEnvironment())) return
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

/** Whether the default registry is in use. `npm start` never writes to another MODELS_DIR or registry. */
const isOwn = ({ registry: { location } }: Config): boolean => location === DEFAULT_REGISTRY

const opened: { stream?: EmbeddedStream } = {}

/** The stream and its page at `/`; undefined if STREAM=off. */
async function addStream ({ access }: Config): Promise<Extension | undefined> {
  if (readEnvironment()['STREAM'] === 'off') return undefined
  return {
    home: true,
    add: async (app, tracer) => {
      // Loaded while the worker threads start.
      const { openEmbeddedStream } = await import('./pipelines/embedded/embedded.ts')
      const stream = await openEmbeddedStream(readEnvironment(), app.log.child({ part: 'stream' }), tracer)
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
  prepare: (config, stopped) => isOwn(config) ? async () => makeModel(stopped) : undefined,
  extend: addStream,
  onReady: (url) => {
    opened.stream?.start().catch(() => {})
    // For people: written to stderr, because the log goes to stdout.
    process.stderr.write(
      `Ready: ${url} (${opened.stream === undefined ? 'page' : 'live fleet'}), ${url}/docs (API). Stop with Ctrl-C.\n`
    )
  },
})
