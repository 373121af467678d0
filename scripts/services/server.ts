// A server as a child process: started on a loopback port, its log in a file, killed as a crash would, stopped in
// order.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')

/** Everything that is installed or left behind by the servers. */
export const SERVICES_DIR = join(root, '.cache/services')
export const RUN_DIR = join(SERVICES_DIR, 'run')

/** MLflow sets its database up at the first start: half a minute on a busy machine. */
const START_MS = 120_000
const STOP_MS = 10_000

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default: this process' own. */
  readonly cwd?: string
  /** What the server prints. */
  readonly log: string
  /** Answers 200 once the server can be used; tcp://host:port: takes a connection. */
  readonly readyUrl: string
  /** Outlives this process. */
  readonly detached?: boolean
  /** Has processes of its own, which end with it: signals go to all of them. */
  readonly group?: boolean
}

/** A server that can be used, killed and started again on the same port and data. */
export interface RunningServer {
  readonly url: string
  readonly pid: number
  /** Ends it as a crash does; data stay. */
  kill (): Promise<void>
  /** Starts it again after kill() or stop(). */
  restart (): Promise<void>
  /** In order. @returns its exit code */
  stop (): Promise<number | null>
}

/**
 * A server by what starts it, which is called at once, and again after each end.
 * @param stopMs what it gets to end in order
 */
export async function controlled<About extends object> (
  start: () => Promise<ChildProcess>,
  about: About,
  stopMs = STOP_MS
): Promise<Omit<RunningServer, 'url'> & About> {
  let child = await start()
  return Object.assign({
    get pid () { return child.pid! },
    kill: async () => endServer(child, 'SIGKILL'),
    restart: async () => { child = await start() },
    stop: async () => {
      await endServer(child, 'SIGTERM', stopMs)
      return child.exitCode
    },
  }, about)
}

/** The path of an installed program. @throws Error with the command that installs it */
export function installed (program: string, name: string): string {
  if (existsSync(program)) return program
  throw new Error(`${name} is not installed; run: npm run services -- install ${name}`)
}

/** Servers that lead a group of processes. */
const leaders = new WeakSet<ChildProcess>()

/** Servers that must not outlive this process, however it ends. */
const guarded = new Set<ChildProcess>()

function guard (child: ChildProcess): void {
  if (guarded.size === 0) {
    process.once('exit', () => { for (const one of guarded) signalTo(one, 'SIGKILL') })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => { process.exit(1) })
  }
  guarded.add(child)
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
 * @throws Error with the end of its log where it ends, or does not become ready within two minutes
 */
export async function startServer (
  { program, args, env = {}, cwd, log, readyUrl, detached = false, group = false }: ServerCommand
): Promise<ChildProcess> {
  mkdirSync(dirname(log), { recursive: true })
  const output = openSync(log, 'a')
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', output, output],
    detached: detached || group,
  })
  closeSync(output)
  if (group) leaders.add(child)
  if (detached) child.unref()
  else guard(child)
  await untilReady(child, readyUrl).catch((error: unknown) => {
    signalTo(child, 'SIGKILL')
    throw new Error(`${program} did not become ready; the end of ${log}:\n${readFileSync(log, 'utf8').slice(-2000)}`, {
      cause: error,
    })
  })
  return child
}

async function untilReady (child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_MS
  while (!await isReady(url)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended')
    if (Date.now() > deadline) throw new Error(`not within ${START_MS / 1000} s`)
    await sleep(50)
  }
}

async function isReady (url: string): Promise<boolean> {
  if (url.startsWith('tcp:')) return takesConnections(new URL(url))
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(({ status }) => status === 200, () => false)
}

async function takesConnections ({ hostname: host, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2000 })
    const end = (ready: boolean) => () => {
      socket.destroy()
      resolve(ready)
    }
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false))
  })
}

/** Ends the process by a signal, and by SIGKILL where it takes too long. */
export async function endServer (child: ChildProcess, signal: NodeJS.Signals, limitMs = STOP_MS): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  signalTo(child, signal)
  const timer = setTimeout(() => { signalTo(child, 'SIGKILL') }, limitMs)
  await ended
  clearTimeout(timer)
  // What a leader left behind.
  if (leaders.has(child)) signalTo(child, 'SIGKILL')
}

function signalTo (child: ChildProcess, signal: NodeJS.Signals): void {
  if (leaders.has(child)) endGroup(child.pid!, signal)
  else child.kill(signal)
}

/** Signals the process and, where it leads a group, all of that. */
export function endGroup (pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal)
      return
    } catch {
      // It leads no group, or has ended.
    }
  }
}

export function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
