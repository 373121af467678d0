// Airflow from PyPI: no server, but what imports DAG files as the server would.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installed, SERVICES_DIR } from './server.ts'

const VERSION = '3.3.2'
const ENVIRONMENT = join(SERVICES_DIR, 'airflow')
const INSTALL_MS = 900_000
/** Python reads a thousand files first: long, at the lowest priority. */
const VERSION_MS = 300_000
const CHECK_MS = 120_000

/** One task of a DAG, as Airflow has understood it. */
interface AirflowTask {
  readonly id: string
  readonly after: readonly string[]
  readonly command: string | null
  readonly retries: number
  readonly limitMinutes: number | null
}

interface AirflowDag {
  readonly schedule: string
  readonly catchup: boolean
  readonly maxActiveRuns: number
  readonly tasks: readonly AirflowTask[]
}

interface CheckedDags {
  readonly version: string
  readonly dags: Readonly<Record<string, AirflowDag>>
}

export function installAirflow (): void {
  execFileSync('bash', [join(import.meta.dirname, 'install-python.sh'), ENVIRONMENT, `apache-airflow==${VERSION}`], {
    stdio: 'inherit',
    timeout: INSTALL_MS,
  })
}

export function airflowVersion (): string {
  return execFileSync(installed(join(ENVIRONMENT, 'bin/python'), 'airflow'), [
    '-c',
    'import importlib.metadata as m; print(m.version("apache-airflow"))',
  ], { encoding: 'utf8', timeout: VERSION_MS }).trim()
}

/** @throws Error naming the file and why, where a file of the folder cannot be imported, or there is no DAG in it */
export function checkDags (folder: string): CheckedDags {
  const home = mkdtempSync(join(tmpdir(), 'airflow-'))
  try {
    const { status, stdout, stderr } = spawnSync(installed(join(ENVIRONMENT, 'bin/python'), 'airflow'), [
      join(import.meta.dirname, 'check-dags.py'),
      folder,
    ], {
      encoding: 'utf8',
      timeout: CHECK_MS,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        AIRFLOW_HOME: home,
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
      },
    })
    // Airflow logs to stdout, too; the answer is the last line.
    if (status !== 0) {
      throw new Error(
        `the DAGs of ${folder} cannot be used: ` +
          (stderr.trim().split('\n').at(-1) || stdout.trim().split('\n').at(-1) || 'no answer')
      )
    }
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as CheckedDags
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
