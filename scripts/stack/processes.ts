// The steps of the stream as processes, each with its port, its log, and the end that a test or a person wants for it.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { controlled, freePort, type RunningServer, startServer } from '../services/server.ts'

const root = resolve(import.meta.dirname, '../..')

export type StepName = 'collector' | 'imputer' | 'scorer' | 'sink' | 'notifier' | 'dashboard'

/**
 * What is read lives for a batch: with 32 MB for it little of it is copied, which takes a fifth of a step's time less
 * (bench/RESULTS.md).
 */
const ROOM_FOR_YOUNG = '--max-semi-space-size=32'

export interface StepOptions {
  readonly name: StepName
  /** Settings besides the port. */
  readonly env: Readonly<Record<string, string>>
  /** Where its log goes. */
  readonly folder: string
  readonly port?: number
  /** Runs what `npm run build` made, which starts sooner. */
  readonly built?: boolean
  /** Distinguishes several of a kind. */
  readonly number?: number
}

export interface StepProcess extends RunningServer {
  readonly name: StepName
  readonly log: string
}

/** @throws Error with the end of its log where it does not become ready */
export async function startStep (
  { name, env, folder, port, built = false, number = 1 }: StepOptions
): Promise<StepProcess> {
  const own = port ?? await freePort()
  const url = `http://127.0.0.1:${own}`
  const log = join(folder, `${name}-${number}.log`)
  const program = join(root, built ? `dist/pipelines/steps/${name}/main.js` : `pipelines/steps/${name}/main.ts`)
  if (!existsSync(program)) throw new Error(`There is no ${program}; run: npm run build`)
  return controlled(async () => startServer({
    program: process.execPath,
    args: [ROOM_FOR_YOUNG, ...built ? [] : ['--import', 'tsx'], program],
    env: { ...env, [`${name.toUpperCase()}_PORT`]: String(own) },
    log,
    readyUrl: `${url}/readyz`,
  }), { name, url, log })
}
