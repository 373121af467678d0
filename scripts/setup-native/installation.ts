// Where tfjs-node is installed and what it expects to find there; finds out whether it works by letting it add two
// numbers.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export interface Installation {
  /** Folder of @tensorflow/tfjs-node. */
  readonly folder: string
  readonly version: string
  /** Where tfjs-node looks for its compiled addon. */
  readonly addon: string
  /** Folder of the shared libraries. */
  readonly libraries: string
  /** Names under which the addon and the installer look for libtensorflow. */
  readonly names: readonly string[]
  /** Names of libtensorflow_framework. */
  readonly frameworkNames: readonly string[]
  /** Folder with node_api.h. */
  readonly headers: string
}

/** The N-API version of tfjs-node 4.22's addon on every Node that this project supports. */
const NAPI = 8

const PROOF = `
  const util = require('node:util')
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
  util.isArray ??= Array.isArray
  const tf = require(process.argv[1])
  process.exit(tf.getBackend() === 'tensorflow' && tf.add(1, 2).dataSync()[0] === 3 ? 0 : 1)`

/**
 * Reads the installation below `project`/node_modules.
 * @throws Error when tfjs-node or node-api-headers is not installed.
 */
export function findInstallation (project: string): Installation {
  const folder = packageFolder(project, '@tensorflow/tfjs-node')
  const headers = join(packageFolder(project, 'node-api-headers'), 'include')
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  const expected = createRequire(folder)(join(folder, 'scripts/deps-constants.js')) as Record<string, string>
  return {
    folder,
    version,
    addon: join(folder, `lib/napi-v${NAPI}/tfjs_binding.node`),
    libraries: join(folder, 'deps/lib'),
    names: [expected['depsLibTensorFlowName']!, expected['destLibTensorFlowName']!],
    frameworkNames: [expected['depsLibTensorFlowFrameworkName']!, expected['destLibTensorFlowFrameworkName']!],
    headers,
  }
}

/** The project's own copy and no other: what lies in a folder further up is not this project's to change. */
function packageFolder (project: string, name: string): string {
  const folder = join(project, 'node_modules', name)
  if (!existsSync(join(folder, 'package.json'))) {
    throw new Error(`${name} is not installed in ${project}. Run \`npm ci\` there first.`)
  }
  return folder
}

/** The proof that everything is in its place: another process loads tfjs-node and computes 1 + 2. */
export function addsTwoNumbers ({ addon, folder }: Pick<Installation, 'addon' | 'folder'>): boolean {
  if (!existsSync(addon)) return false
  return spawnSync(process.execPath, ['-e', PROOF, folder], { stdio: 'ignore', timeout: 60_000 }).status === 0
}
