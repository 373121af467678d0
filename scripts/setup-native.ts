// `npm run setup:native`: gives @tensorflow/tfjs-node its addon and libtensorflow, by its own installer or from a
// Python wheel.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Installation, addsTwoNumbers, findInstallation } from './setup-native/installation.ts'
import { type Mode, type Route, isMode, routesOf } from './setup-native/routes.ts'
import { hostAnswers, installUpstream, installerHost } from './setup-native/upstream.ts'
import { hasUnpackedWheel, installFromWheel } from './setup-native/wheel.ts'

const PROBE_MS = 8_000

const report = (line: string): void => { process.stdout.write(`setup:native  ${line}\n`) }

/** Tries one route; false leaves the next one to be tried. */
async function take (route: Route, mode: Mode, installation: Installation, cache: string): Promise<boolean> {
  if (route === 'wheel') {
    installFromWheel(installation, cache, report)
    return true
  }
  const host = installerHost(installation.folder, process.env)
  if (mode === 'auto' && !await hostAnswers(host, PROBE_MS)) {
    report(`tfjs-node's own download host does not answer within ${PROBE_MS / 1000} s`)
    return false
  }
  report('running tfjs-node\'s own installer')
  return installUpstream(installation)
}

async function setUp (mode: Mode, project: string): Promise<void> {
  const installation = findInstallation(project)
  if (addsTwoNumbers(installation)) {
    report(`already there: tfjs-node ${installation.version} computes on libtensorflow`)
    return
  }
  const cache = join(project, '.cache')
  for (const route of routesOf(mode, process.platform, process.arch, hasUnpackedWheel(cache))) {
    if (!await take(route, mode, installation, cache)) continue
    if (addsTwoNumbers(installation)) {
      report(`ready (${route} route): tfjs-node ${installation.version} computes on libtensorflow`)
      return
    }
    report(`the ${route} route ended, but the addon does not compute`)
  }
  throw new Error(
    'No route led to a working addon. Try TFJS_NATIVE=wheel (linux x64), or go on without it: WASM serves and trains ' +
      'too (TFJS_BACKEND=auto or wasm).'
  )
}

const { values } = parseArgs({ options: { mode: { type: 'string' }, project: { type: 'string' } } })
const mode = values.mode ?? process.env['TFJS_NATIVE'] ?? 'auto'
try {
  if (!isMode(mode)) throw new Error(`'${mode}' is not a mode. Set TFJS_NATIVE (or --mode) to auto, upstream or wheel.`)
  await setUp(mode, resolve(values.project ?? '.'))
} catch (error) {
  process.stderr.write(`setup:native  ${(error as Error).message}\n`)
  process.exitCode = 1
}
