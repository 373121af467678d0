// MLflow from PyPI: a tracking server on a loopback port that keeps runs in SQLite and hands artifacts on to a folder,
// or to an object store.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { controlled, freePort, installed, type RunningServer, SERVICES_DIR, startServer } from './server.ts'

const VERSION = '3.17.2'
const ENVIRONMENT = join(SERVICES_DIR, 'mlflow')
const PROGRAM = join(ENVIRONMENT, 'bin/mlflow')
const INSTALL_MS = 900_000
/** Python reads a thousand files first: long, at the lowest priority. */
const VERSION_MS = 300_000

interface MlflowOptions {
  readonly port?: number
  readonly folder?: string
  readonly detached?: boolean
  /** Where artifacts go, by default into the folder; `env` holds what the server needs to get there. */
  readonly artifacts?: { readonly destination: string, readonly env: Readonly<Record<string, string>> }
}

/** boto3 is how it reaches an object store. */
export function installMlflow (): void {
  execFileSync('bash', [
    join(import.meta.dirname, 'install-python.sh'),
    ENVIRONMENT,
    `mlflow==${VERSION}`,
    'boto3==1.43.20',
  ], { stdio: 'inherit', timeout: INSTALL_MS })
}

export function mlflowVersion (): string {
  return execFileSync(installed(PROGRAM, 'mlflow'), ['--version'], { encoding: 'utf8', timeout: VERSION_MS }).trim()
    .replace(/^.* /, '')
}

/** @throws Error where it is not installed or does not start */
export async function startMlflow (
  { port, folder = mkdtempSync(join(tmpdir(), 'mlflow-')), detached = false, artifacts }: MlflowOptions = {}
): Promise<RunningServer> {
  const program = installed(PROGRAM, 'mlflow')
  const chosen = String(port ?? await freePort())
  const url = `http://127.0.0.1:${chosen}`
  mkdirSync(join(folder, 'artifacts'), { recursive: true })
  return controlled(async () =>
    startServer({
      program,
      args: [
        'server',
        '--host',
        '127.0.0.1',
        '--port',
        chosen,
        '--workers',
        '1',
        '--backend-store-uri',
        `sqlite:///${join(folder, 'mlflow.db')}`,
        '--artifacts-destination',
        artifacts?.destination ?? join(folder, 'artifacts'),
      ],
      // Its job runner would be a process more that outlives a kill; a group of processes of its own is ended as one.
      env: { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', ...artifacts?.env },
      log: join(folder, 'mlflow.log'),
      readyUrl: `${url}/health`,
      detached,
      group: true,
    }), { url })
}
