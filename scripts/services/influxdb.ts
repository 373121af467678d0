// InfluxDB 2, built from source: the v2 API and Flux on a loopback port, set up with an organisation, a bucket and a
// token of its own.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controlled, freePort, installed, type RunningServer, SERVICES_DIR, startServer } from './server.ts'

const BINARY = join(SERVICES_DIR, 'bin/influxd')

/** Two compilers need some minutes where nothing is cached. */
const BUILD_MS = 1_800_000
const SETUP_MS = 30_000

export interface InfluxOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
}

/** Where it is and who may use it. */
export interface InfluxServer extends RunningServer {
  readonly org: string
  readonly bucket: string
  /** Of the operator: may do everything. */
  readonly token: string
}

export function installInfluxdb (): void {
  execFileSync('bash', [join(import.meta.dirname, 'install-influxdb.sh')], { stdio: 'inherit', timeout: BUILD_MS })
}

export function influxdbVersion (): string {
  const said = execFileSync(installed(BINARY, 'influxdb'), ['version'], { encoding: 'utf8', timeout: 60_000 })
  return /v(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? said.trim()
}

/** @throws Error where it is not installed or does not start */
export async function startInfluxdb (
  { port, folder = mkdtempSync(join(tmpdir(), 'influxdb-')), detached = false }: InfluxOptions = {}
): Promise<InfluxServer> {
  const program = installed(BINARY, 'influxdb')
  const address = `127.0.0.1:${port ?? await freePort()}`
  const url = `http://${address}`
  const server = await controlled(async () =>
    startServer({
      program,
      args: [
        '--reporting-disabled',
        '--ui-disabled',
        '--pprof-disabled',
        '--log-level',
        'warn',
        '--http-bind-address',
        address,
        '--bolt-path',
        join(folder, 'influxd.bolt'),
        '--sqlite-path',
        join(folder, 'influxd.sqlite'),
        '--engine-path',
        join(folder, 'engine'),
      ],
      log: join(folder, 'influxdb.log'),
      readyUrl: `${url}/health`,
      detached,
    }), { url })
  const access = await accessTo(url, join(folder, 'access.json')).catch(async (error: unknown) => {
    await server.kill()
    throw error
  })
  return Object.assign(server, access)
}

interface Access { readonly org: string, readonly bucket: string, readonly token: string }

/** A server is set up once in the life of its data: what it was set up with lies beside them. */
async function accessTo (url: string, note: string): Promise<Access> {
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Access
  const access: Access = { org: 'plant', bucket: 'measurements', token: `token-${randomBytes(18).toString('hex')}` }
  const body = JSON.stringify({
    username: 'admin',
    password: randomBytes(18).toString('hex'),
    retentionPeriodSeconds: 0,
    ...access,
  })
  const response = await fetch(`${url}/api/v2/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(SETUP_MS),
  })
  if (!response.ok) {
    throw new Error(`InfluxDB refused to be set up with ${response.status}: ${(await response.text()).slice(0, 300)}`)
  }
  writeFileSync(note, JSON.stringify(access), { mode: 0o600 })
  return access
}
