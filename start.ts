// The embedded default, `npm start`: everything in one place, no server, no download. Makes the data and trains the model where
// there is none yet, then serves. The only file that knows several components; training runs in a process of its own, because
// a process has one TensorFlow.js backend and serving may choose another than training.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FARM_PATHS } from './model-creation/paths.ts'
import { runService } from './model-serving/run-service.ts'

const here = dirname(fileURLToPath(import.meta.url))
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** Runs one of the project's programs with this process' own loader; its progress goes to this terminal. */
async function runProgram (path: string, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, join(here, `${path}.${extension}`)], { stdio: ['ignore', 2, 2], signal, killSignal: 'SIGTERM' })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) throw new Error(`${path} ended with status ${code}`)
}

/** Makes the farm's model on the first start. One's own MODELS_DIR is never written to. */
async function makeModel (stopped: AbortSignal): Promise<void> {
  if (!existsSync(FARM_PATHS.raw)) await runProgram('model-creation/data', stopped)
  await runProgram('model-creation/pipeline', stopped)
}

const isMissing = (modelsDir: string): boolean => modelsDir === dirname(FARM_PATHS.package) && !existsSync(join(FARM_PATHS.package, 'manifest.json'))

await runService({
  prepare: ({ modelsDir }, stopped) => isMissing(modelsDir) ? async () => makeModel(stopped) : undefined,
  // For people, and so not between the lines of the log.
  onReady: (url) => { process.stderr.write(`Ready: ${url} (page), ${url}/docs (API). Stop with Ctrl-C.\n`) },
})
