// Makes the farm's data, trains a model on it and publishes it, if the registry has no model yet, or the farm's in a
// format that this version does not read. For `npm start`, `npm run stack` and compose.yaml. Each step is a process,
// because a process can use only one TensorFlow.js backend, and publishing may use another one than training.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { needsFirstModel } from '../adapters/registry/first-model.ts'
import { DEFAULT_REGISTRY } from '../adapters/registry/open-store.ts'
import { readEnvironment } from '../adapters/settings/environment.ts'
import { isOutdated, readPackageFiles } from '../adapters/tfjs/package-files.ts'
import { FARM_PARAMS, FARM_PATHS } from './settings/paths.ts'
import { isProgram, runReporting } from './stages/stage.ts'

interface Flags { registry: string, folder: string }

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** Resolved from this file: a step may run in any folder. */
const LOADER = extension === 'ts' ? ['--import', import.meta.resolve('tsx')] : []

async function main (
  args: readonly string[],
  print: (text: string) => void,
  env = readEnvironment()
): Promise<void> {
  const { registry, folder } = new Command('first-model')
    .description('Publishes the wind farm\'s model and makes it live, if the registry has none that can be read.')
    .option('--registry <location>', 'a folder, or s3://bucket/prefix', env['MODEL_REGISTRY'] || DEFAULT_REGISTRY)
    .option('--folder <folder>', 'folder of data and package; what it already holds is used', '.')
    .parse(args, { from: 'user' }).opts<Flags>()
  if (!await needsFirstModel('--registry', registry, env)) return print(`${registry} has models\n`)
  if (resolve(folder) !== process.cwd()) copyParams(folder)
  const exists = (path: string): boolean => existsSync(join(folder, path))
  if (!exists(join(FARM_PATHS.package, 'manifest.json')) ||
    isOutdated(await readPackageFiles(join(folder, FARM_PATHS.package)))) {
    if (!exists(FARM_PATHS.raw)) await run('data', [], folder)
    await run('pipeline', [], folder)
  }
  await run('models', [
    'publish',
    FARM_PATHS.package,
    '--promote',
    '--registry',
    registry.startsWith('s3:') ? registry : resolve(registry),
  ], folder)
}

/** Copies this folder's parameters to the other folder. */
function copyParams (folder: string): void {
  mkdirSync(join(folder, dirname(FARM_PARAMS)), { recursive: true })
  copyFileSync(FARM_PARAMS, join(folder, FARM_PARAMS))
}

/** Runs a step as a child process, and ends it if this process gets a signal to end. */
async function run (name: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(process.execPath, [...LOADER, join(import.meta.dirname, `${name}.${extension}`), ...args], {
    cwd,
    stdio: ['ignore', 2, 2],
  })
  const end = (): void => {
    child.kill('SIGTERM')
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve)
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  if (code !== 0) throw new Error(`${name} ended with status ${code}`)
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
