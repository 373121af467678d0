// A server as a child process: started on a loopback port, its log in a file, killed as a crash would, stopped in order.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')

/** Everything that is installed or left behind by the servers. */
export const SERVICES_DIR = join(root, '.cache/services')
export const RUN_DIR = join(SERVICES_DIR, 'run')

const START_MS = 60_000
const STOP_MS = 10_000

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What the server prints. */
  readonly log: string
  /** Answers 200 once the server can be used. */
  readonly readyUrl: string
  /** Outlives this process. */
  readonly detached?: boolean
}

export async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/**
 * Starts the server and waits until it can be used.
 * @throws Error with the end of its log where it ends, or does not become ready within a minute
 */
export async function startServer ({ program, args, env = {}, log, readyUrl, detached = false }: ServerCommand): Promise<ChildProcess> {
  mkdirSync(dirname(log), { recursive: true })
  const output = openSync(log, 'a')
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }, stdio: ['ignore', output, output], detached })
  if (detached) child.unref()
  const deadline = Date.now() + START_MS
  while (!await isReady(readyUrl)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${program} did not become ready; the end of ${log}:\n${readFileSync(log, 'utf8').slice(-2000)}`)
    }
    await sleep(50)
  }
  return child
}

async function isReady (url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(({ status }) => status === 200, () => false)
}

/** Ends the process by a signal, and by SIGKILL where it takes too long. */
export async function endServer (child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  child.kill(signal)
  const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_MS)
  await ended
  clearTimeout(timer)
}

export function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
