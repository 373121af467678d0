// The only file that picks a TensorFlow.js backend. Loads the backend lazily; knows neither models nor the environment.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { dirname, join } from 'node:path'
import type * as tensorflow from '@tensorflow/tfjs'
import { Problem } from '../../core/errors.ts'
import { setDefault } from '../settings/environment.ts'
import { repairWasmGradients } from './wasm-gradients.ts'

type Tensorflow = typeof tensorflow
export type BackendName = 'native' | 'wasm' | 'cpu'
export type BackendChoice = 'auto' | BackendName

/** This process's only TensorFlow.js: pass it on instead of importing one of its packages. */
export interface Backend {
  readonly tf: Tensorflow
  readonly name: BackendName
  /** Version of TensorFlow.js, e.g. `4.22.0`. */
  readonly version: string
}

// CommonJS on purpose, like every package of TensorFlow.js: only then do they share one copy under node, tsx and tap.
const require = createRequire(import.meta.url)

let loading: Promise<Backend> | undefined

/**
 * Loads TensorFlow.js on the chosen backend: `auto` takes native if its addon was built, else WASM, else plain
 * JavaScript. Tensors live in one engine per process, so the first choice holds: the same choice (or `auto`) again
 * returns the same object.
 * @throws Problem `backend-unavailable` if the backend does not work here, or the process already runs on another one.
 * @example
 * const { tf, name } = await loadBackend('auto')
 */
export async function loadBackend (choice: BackendChoice): Promise<Backend> {
  if (loading === undefined) {
    const first = choice === 'auto' ? loadBest() : LOADERS[choice]()
    loading = first
    first.catch(() => { loading = undefined })
    return await first
  }
  const backend = await loading
  if (choice === 'auto' || choice === backend.name) return backend
  throw new Problem(
    'backend-unavailable',
    `This process already runs TensorFlow.js on '${backend.name}'; ` +
      `'${choice}' needs its own process, with TFJS_BACKEND=${choice}.`,
    { extensions: { choice, loaded: backend.name } }
  )
}

/** Whether the installed tfjs-node package contains its compiled addon. */
export function hasNativeAddon (): boolean {
  try {
    const versions = join(dirname(require.resolve('@tensorflow/tfjs-node/package.json')), 'lib')
    return readdirSync(versions).some((version) => existsSync(join(versions, version, 'tfjs_binding.node')))
  } catch {
    return false
  }
}

/**
 * Requires a package that itself requires `@tensorflow/tfjs-node`, and gives it this backend's tf instead: tfjs-node
 * throws without its addon.
 * @example
 * import type * as danfojs from 'danfojs-node'
 * const danfo = serveTensorflowTo<typeof danfojs>(backend, 'danfojs-node')
 */
export function serveTensorflowTo<Package> (backend: Backend, packageName: string): Package {
  if (backend.name !== 'native') {
    const path = require.resolve('@tensorflow/tfjs-node')
    require.cache[path] ??= Object.assign(new Module(path), { exports: backend.tf, filename: path, loaded: true })
  }
  return require(packageName) as Package
}

const LOADERS: Record<BackendName, () => Promise<Backend>> = { native: loadNative, wasm: loadWasm, cpu: loadCpu }

async function loadBest (): Promise<Backend> {
  if (hasNativeAddon()) {
    try {
      return await loadNative()
    } catch (error) {
      // Somebody built the addon on purpose: a silent fallback would hide that it broke.
      process.emitWarning(`${(error as Error).message} Going on with WASM.`, { code: 'native-backend-broken' })
    }
  }
  return await loadWasm().catch(loadCpu)
}

async function loadNative (): Promise<Backend> {
  if (!hasNativeAddon()) throw unavailable('native', 'the addon of @tensorflow/tfjs-node has not been built')
  restoreUtilities()
  quietLibtensorflow()
  try {
    const tf = require('@tensorflow/tfjs-node') as Tensorflow
    if (!await tf.setBackend('tensorflow')) throw new Error('libtensorflow did not start')
    return { tf, name: 'native', version: tf.version.tfjs }
  } catch (cause) {
    throw unavailable('native', (cause as Error).message, cause)
  }
}

async function loadWasm (): Promise<Backend> {
  try {
    const tf = require('@tensorflow/tfjs') as Tensorflow
    require('@tensorflow/tfjs-backend-wasm')
    const events = ['uncaughtException', 'unhandledRejection']
    const own = new Set(events.flatMap((event) => process.rawListeners(event)))
    if (!await tf.setBackend('wasm')) throw new Error('the WASM module did not start')
    // Removes the listeners of the module's loader: they rethrow every error of the process and so hide its origin.
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!own.has(listener)) process.removeListener(event, listener as (...details: unknown[]) => void)
      }
    }
    repairWasmGradients(tf)
    return { tf, name: 'wasm', version: tf.version.tfjs }
  } catch (cause) {
    throw unavailable('wasm', (cause as Error).message, cause)
  }
}

async function loadCpu (): Promise<Backend> {
  const tf = require('@tensorflow/tfjs') as Tensorflow
  if (!await tf.setBackend('cpu')) throw unavailable('cpu', 'the plain JavaScript backend did not start')
  // Without this, the first tensor prints an advertisement for tfjs-node.
  Object.assign(tf.backend(), { firstUse: false })
  return { tf, name: 'cpu', version: tf.version.tfjs }
}

function unavailable (name: BackendName, reason: string, cause?: unknown): Problem {
  const remedy = name === 'native'
    ? 'Run `npm run setup:native`, or set TFJS_BACKEND to auto, wasm or cpu.'
    : 'Run `npm ci`, or set TFJS_BACKEND to auto.'
  return new Problem(
    'backend-unavailable',
    `The TensorFlow.js backend '${name}' cannot be used: ${reason}. ${remedy}`,
    { extensions: { choice: name }, cause }
  )
}

/** Adds the two functions that tfjs-node calls and Node 23 removed. */
function restoreUtilities (): void {
  const util = require('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}

/**
 * Sets the log level that libtensorflow reads when it loads: 1 drops its notes about the processor, and keeps warnings
 * and errors.
 */
function quietLibtensorflow (): void {
  setDefault('TF_CPP_MIN_LOG_LEVEL', '1')
}
