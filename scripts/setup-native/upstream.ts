// The upstream route: tfjs-node's own installer, which downloads from a host that only it names.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { type Installation } from './installation.ts'

const INSTALL_MS = 300_000

/**
 * The address that the installer downloads from: its environment variables first, then the default in its source.
 * @throws Error when the installer names none.
 */
export function installerHost (folder: string, env: Readonly<Record<string, string | undefined>>): string {
  const set = env['TFJS_NODE_CDN_STORAGE'] ?? env['npm_config_TFJS_NODE_CDN_STORAGE'] ?? env['CDN_STORAGE']
  if (set !== undefined && set !== '') return set
  const source = readFileSync(join(folder, 'scripts/install.js'), 'utf8')
  const host = /BASE_HOST\s*=[^;]*?['"](https?:\/\/[^'"]+)['"]/.exec(source)?.[1]
  if (host === undefined) throw new Error('tfjs-node\'s installer names no download host. Use TFJS_NATIVE=wheel.')
  return host
}

/** Whether anything at all answers there in time. */
export async function hostAnswers (host: string, timeoutMs: number): Promise<boolean> {
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(timeoutMs) })
    return true
  } catch {
    return false
  }
}

/** Runs the installer; false when it failed. It rewrites its own package.json on the way, which is put back. */
export function installUpstream ({ folder }: Pick<Installation, 'folder'>): boolean {
  const manifest = join(folder, 'package.json')
  const before = readFileSync(manifest, 'utf8')
  // The installer calls node-pre-gyp by its bare name, as npm would let it.
  const tool = createRequire(manifest).resolve('@mapbox/node-pre-gyp/package.json')
  const commands = join(dirname(tool), '../../.bin')
  const env = { ...process.env, PATH: `${commands}${delimiter}${process.env['PATH'] ?? ''}` }
  try {
    return spawnSync(process.execPath, ['scripts/install.js'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: INSTALL_MS,
    }).status === 0
  } finally {
    writeFileSync(manifest, before)
  }
}
