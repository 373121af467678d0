// actionlint from its Go module: what GitHub would refuse of a workflow, or run otherwise than meant.
import { spawnSync } from 'node:child_process'
import { type GoProgram, goProgram, installGoProgram } from './go.ts'
import { installed } from './server.ts'

const PROGRAM: GoProgram = { name: 'actionlint', version: '1.7.7', path: 'github.com/rhysd/actionlint/cmd/actionlint' }
const CHECK_MS = 60_000

export const installActionlint = (): void => { installGoProgram(PROGRAM) }

export const actionlintVersion = (): string => PROGRAM.version

/** @param text of a workflow. @returns its faults, a line each */
export function faultsOf (text: string): string[] {
  const { stdout, stderr, status } = spawnSync(installed(goProgram(PROGRAM), 'actionlint'), [
    '-no-color',
    '-shellcheck=',
    '-pyflakes=',
    '-oneline',
    '-',
  ], { input: text, encoding: 'utf8', timeout: CHECK_MS })
  if (status === null || status > 1) throw new Error(`actionlint failed: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}
