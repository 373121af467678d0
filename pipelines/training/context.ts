// The context of every step: places, the registry, and functions that run the programs of the training pipeline.
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Registry } from '../../adapters/registry/registry.ts'
import type { RegistryStore } from '../../adapters/registry/store.ts'
import type { Environment } from '../../adapters/settings/environment.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'
import { runProgram } from './run-program.ts'

/** All relative to the working folder, as in model-creation/. */
export const PLACES = {
  data: 'data',
  pin: 'data.dvc',
  feedback: join('data', 'feedback.csv'),
  labels: join('data', 'labels.csv'),
  params: join('model-creation', 'params.yaml'),
  pipeline: join('model-creation', 'dvc.yaml'),
  state: join('pipelines', 'training', 'out', 'report.json'),
  report: join('pipelines', 'training', 'out', 'report.md'),
} as const

export interface StepContext {
  readonly model: string
  readonly registry: Registry
  readonly store: RegistryStore
  readonly env: Environment
  /** Path of DVC; undefined: work without it. */
  readonly dvc: string | undefined
  readonly signal: AbortSignal | undefined
  now (): string
}

const MINUTE = 60_000

/** Time limits of the programs, milliseconds. */
export const LIMITS = { pull: 60 * MINUTE, train: 360 * MINUTE, evaluate: 60 * MINUTE, quick: 10 * MINUTE } as const

const isSource = import.meta.url.endsWith('.ts')
const programs = resolve(import.meta.dirname, '../../model-creation')

/** Runs a program of model-creation in the working folder. @returns its stdout */
export async function runOwn (
  { env, signal }: StepContext,
  name: string,
  args: readonly string[],
  limitMs: number
): Promise<string> {
  const loader = isSource ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []
  return runProgram({
    what: `model-creation/${name}`,
    program: process.execPath,
    args: [...loader, join(programs, `${name}${isSource ? '.ts' : '.js'}`), ...args],
    env,
    limitMs,
    signal,
  })
}

export async function runDvc (
  { env, signal }: StepContext,
  dvc: string,
  args: readonly string[],
  limitMs: number
): Promise<string> {
  return runProgram({
    what: `dvc ${args[0]}`,
    program: dvc,
    args,
    env: { ...env, DVC_NO_ANALYTICS: '1' },
    limitMs,
    signal,
  })
}

/** The DVC of `npm run setup:dvc`, or the one on PATH. @throws Problem invalid-settings */
export async function findDvc (env: Environment): Promise<string> {
  const places = [resolve('.cache/dvc/bin'), ...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')]
  for (const place of places) {
    const file = join(place, 'dvc')
    if (await access(file, constants.X_OK).then(() => true, () => false)) return file
  }
  throw new Problem(
    'invalid-settings',
    'DVC is not installed; install it with "npm run setup:dvc", or work without it: --no-dvc.'
  )
}

async function readYaml<T> (file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem('invalid-settings', `${file} cannot be read; run this in the folder of the project.`, { cause })
  })
  const parsed = schema.safeParse(yamlOf(file, text), { error: explainFault })
  if (parsed.success) return parsed.data
  throw new Problem(
    'invalid-settings',
    `${file}: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`
  )
}

function yamlOf (file: string, text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new Problem('invalid-settings', `${file}: ${(cause as Error).message.split('\n', 1)[0]}`, { cause })
  }
}

/** The name of the model in params.yaml. */
export async function modelName (): Promise<string> {
  return (await readYaml(PLACES.params, z.object({ package: z.object({ name: z.string() }) }))).package.name
}

/** The stages of dvc.yaml, and the folder of the package that the last one writes. */
export async function readPipeline (): Promise<{ stages: string[], folder: string }> {
  const { stages } = await readYaml(
    PLACES.pipeline,
    z.object({ stages: z.record(z.string(), z.object({ outs: z.array(z.string()).optional() })) })
  )
  const folder = stages['package']?.outs?.[0]
  if (folder === undefined) {
    throw new Problem('invalid-settings', `${PLACES.pipeline}: stages.package.outs names no folder.`)
  }
  return { stages: Object.keys(stages), folder }
}

/** The md5 that data.dvc pins; null without one. */
export async function pinnedMd5 (): Promise<string | null> {
  const text = await readFile(PLACES.pin, 'utf8').catch(() => undefined)
  if (text === undefined) return null
  return z.object({ outs: z.tuple([z.object({ md5: z.string() })]) }).safeParse(parse(text)).data?.outs[0].md5 ?? null
}
