// Programs of the integration tests that come from Debian's packages, if the system has them.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SERVICES_DIR } from './server.ts'

const INSTALL_MS = 900_000

export const hasDebianPackages = (): boolean => existsSync('/usr/bin/apt-get')

/** Where it is, once it is installed. @param path of the program in the package */
export const debianProgram = (name: string, path: string): string => join(SERVICES_DIR, 'debian', name, path)

export function installDebianPackage (name: string): void {
  const folder = join(SERVICES_DIR, 'debian', name)
  const script = join(import.meta.dirname, 'install-debian.sh')
  execFileSync('bash', [script, name, folder], { stdio: 'inherit', timeout: INSTALL_MS })
}
