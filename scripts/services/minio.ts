// MinIO, built from its last public source: an S3 server on a loopback port, with credentials and data of its own.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GO_FLAGS, goCompiler } from './go.ts'
import { controlled, freePort, installed, type RunningServer, SERVICES_DIR, startServer } from './server.ts'

const BINARY = join(SERVICES_DIR, 'bin/minio')

/** The compiler needs some minutes where nothing is cached. */
const BUILD_MS = 1_500_000

interface MinioOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
}

/** Where it is and who may use it. */
export interface MinioServer extends RunningServer {
  readonly accessKey: string
  readonly secretKey: string
}

/** Builds the server where it is not there yet, or go.sum changed. */
export function installMinio (): void {
  const here = import.meta.dirname
  // Quick where it is built already: Go compares what it was built from.
  const what = ['build', '-C', here, '-mod=readonly', ...GO_FLAGS, '-o', BINARY, 'github.com/minio/minio']
  const env = { ...process.env, CGO_ENABLED: '0' }
  execFileSync(goCompiler(), what, { env, stdio: 'inherit', timeout: BUILD_MS })
}

/** It was built without one: what go.mod pins. */
export function minioVersion (): string {
  return /github\.com\/minio\/minio v(\S+)/.exec(readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8'))![1]!
}

/** @throws Error where it is not installed or does not start */
export async function startMinio (
  { port, folder = mkdtempSync(join(tmpdir(), 'minio-')), detached = false }: MinioOptions = {}
): Promise<MinioServer> {
  const program = installed(BINARY, 'minio')
  const address = `127.0.0.1:${port ?? await freePort()}`
  const accessKey = `access-${randomBytes(6).toString('hex')}`
  const secretKey = `secret-${randomBytes(18).toString('hex')}`
  mkdirSync(join(folder, 'data'), { recursive: true })
  return controlled(async () => startServer({
    program,
    args: ['server', '--quiet', '--address', address, join(folder, 'data')],
    env: { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: 'off', MINIO_UPDATE: 'off' },
    log: join(folder, 'minio.log'),
    readyUrl: `http://${address}/minio/health/ready`,
    detached,
  }), { url: `http://${address}`, accessKey, secretKey })
}
