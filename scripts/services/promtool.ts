// promtool, built from its Go module: checks alert rules and runs their tests.
import { join } from 'node:path'
import { type GoProgram, goProgram, installGoProgram } from './go.ts'
import { installed } from './server.ts'

/**
 * The version is that of promtool/go.mod: its own go.mod has lines for others that `go install` does not take. Of the
 * discoveries of targets it has only that of Kubernetes, which the configuration uses. The others are most of the
 * build.
 */
const PROGRAM: GoProgram = {
  name: 'promtool',
  version: '0.311.3',
  path: 'github.com/prometheus/prometheus/cmd/promtool',
  pinnedIn: join(import.meta.dirname, 'promtool'),
  tags: 'remove_all_sd,enable_kubernetes_sd',
}

export const installPromtool = (): void => { installGoProgram(PROGRAM) }

export const promtoolVersion = (): string => PROGRAM.version

/** @throws Error where it is not installed */
export const promtool = (): string => installed(goProgram(PROGRAM), 'promtool')
