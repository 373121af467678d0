// Programs of the integration tests that are built from Go modules.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SERVICES_DIR } from './server.ts'

const BIN = join(SERVICES_DIR, 'bin')
/** Small, and without what only debuggers read, which takes time to make. */
export const GO_FLAGS = ['-trimpath', '-ldflags', '-s -w', '-gcflags=all=-dwarf=false'] as const

/** Two compilers need some minutes where nothing is cached. */
const BUILD_MS = 1_500_000

export interface GoProgram {
  readonly name: string
  readonly version: string
  /** Import path of its main package. */
  readonly path: string
  /**
   * Folder of a go.mod that pins it, with what it is built from. Default: its own, for which Go's checksum database
   * vouches.
   */
  readonly pinnedIn?: string
  /** Build tags: what is left out, or taken in. */
  readonly tags?: string
}

/** The path of the compiler; it is installed where there is none. */
export function goCompiler (): string {
  return execFileSync('bash', [join(import.meta.dirname, 'install-go.sh')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: BUILD_MS,
  }).trim()
}

/** Where it is, once it is built. */
export const goProgram = ({ name, version }: GoProgram): string => join(BIN, `${name}-${version}`)

/** Builds it where it is not there yet. */
export function installGoProgram (program: GoProgram): void {
  const { name, version, path, pinnedIn, tags = '' } = program
  if (existsSync(goProgram(program))) return
  mkdirSync(BIN, { recursive: true })
  // Beside where it goes to: it is there whole, or not at all.
  const made = mkdtempSync(join(BIN, `${name}-`))
  try {
    const how = [...GO_FLAGS, '-tags', tags]
    const what = pinnedIn === undefined
      ? ['install', ...how, `${path}@v${version}`]
      : ['build', '-mod=readonly', ...how, '-o', `${made}/`, path]
    execFileSync(goCompiler(), what, {
      cwd: pinnedIn,
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: made },
      stdio: 'inherit',
      timeout: BUILD_MS,
    })
    renameSync(join(made, name), goProgram(program))
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
