// MinIO, built from its last public source: an S3 server on a loopback port, with credentials and data of its own.
import { type ChildProcess, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, endServer, SERVICES_DIR, startServer } from './server.ts'

const BINARY = join(SERVICES_DIR, 'bin/minio')

/** The compiler needs some minutes where nothing is cached. */
const BUILD_MS = 1_500_000

export interface MinioOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
}

/** Where it is and who may use it. */
export interface MinioServer {
  readonly url: string
  readonly accessKey: string
  readonly secretKey: string
  readonly pid: number
  /** Ends it as a crash does; data stay. */
  kill (): Promise<void>
  /** Starts it again after kill() or stop(), on the same port and data. */
  restart (): Promise<void>
  stop (): Promise<void>
}

/** Builds the server where it is not there yet, or go.sum changed. */
export function installMinio (): void {
  const here = import.meta.dirname
  const go = execFileSync('bash', [join(here, 'install-go.sh')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()
  // Quick where it is built already: Go compares what it was built from.
  execFileSync(go, ['build', '-C', here, '-mod=readonly', '-trimpath', '-ldflags', '-s -w', '-o', BINARY, 'github.com/minio/minio'],
    { env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit', timeout: BUILD_MS })
}

/** @throws Error where it is not installed or does not start */
export async function startMinio ({ port, folder = mkdtempSync(join(tmpdir(), 'minio-')), detached = false }: MinioOptions = {}): Promise<MinioServer> {
  if (!existsSync(BINARY)) throw new Error('MinIO is not installed; run: npm run services -- install minio')
  const address = `127.0.0.1:${port ?? await freePort()}`
  const accessKey = `access-${randomBytes(6).toString('hex')}`
  const secretKey = `secret-${randomBytes(18).toString('hex')}`
  mkdirSync(join(folder, 'data'), { recursive: true })
  const start = async (): Promise<ChildProcess> => startServer({
    program: BINARY,
    args: ['server', '--quiet', '--address', address, join(folder, 'data')],
    env: { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: 'off', MINIO_UPDATE: 'off' },
    log: join(folder, 'minio.log'),
    readyUrl: `http://${address}/minio/health/ready`,
    detached,
  })
  let child = await start()
  return {
    url: `http://${address}`,
    accessKey,
    secretKey,
    pid: child.pid!,
    kill: async () => endServer(child, 'SIGKILL'),
    restart: async () => { child = await start() },
    stop: async () => endServer(child, 'SIGTERM'),
  }
}
