// The wheel route: libtensorflow out of a pinned Python wheel, the addon compiled against it with a plain C++ compiler.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Installation } from './installation.ts'
import { run } from './run.ts'

const WHEEL = {
  version: '2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  python: '3.11',
  platform: 'manylinux2014_x86_64',
}
const LIBRARY = 'libtensorflow_cc.so.2'
const FRAMEWORK = 'libtensorflow_framework.so.2'

const PYTHON_REMEDY =
  'Needed: python3 with pip (Debian: apt-get install python3-pip) and access to a Python package index, ' +
  'or TFJS_NATIVE=upstream.'
const COMPILER_REMEDY = 'Needed: a C++17 compiler, g++ or the one named in CXX (Debian: apt-get install g++).'

/** Folder of the unpacked wheel below `cache`; it has this name only once it is complete. */
function unpackedWheel (cache: string): string {
  return join(cache, `libtensorflow-${WHEEL.version}`)
}

export function hasUnpackedWheel (cache: string): boolean {
  return existsSync(unpackedWheel(cache))
}

/**
 * Puts libraries and addon where `installation` expects them; the unpacked wheel stays in `cache` for the next time.
 */
export function installFromWheel (installation: Installation, cache: string, report: (line: string) => void): void {
  const unpacked = unpackedWheel(cache)
  if (hasUnpackedWheel(cache)) report(`libtensorflow ${WHEEL.version} is in the cache`)
  else fetchLibraries(unpacked, report)
  linkLibraries(installation, join(unpacked, 'lib'))
  report('compiling the addon')
  compileAddon(installation, join(unpacked, 'include'))
}

/** Downloads (pip compares the digest) and unpacks. */
function fetchLibraries (unpacked: string, report: (line: string) => void): void {
  const partial = `${unpacked}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const requirement = join(partial, 'requirements.txt')
  writeFileSync(requirement, `tensorflow-cpu==${WHEEL.version} --hash=sha256:${WHEEL.sha256}\n`)
  report(`downloading libtensorflow ${WHEEL.version} (a wheel of 207 MB)`)
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes',
    '--python-version', WHEEL.python, '--platform', WHEEL.platform, '--dest', partial, '--requirement', requirement],
  { timeoutMs: 900_000, remedy: PYTHON_REMEDY })
  const wheel = readdirSync(partial).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip downloaded no wheel. ${PYTHON_REMEDY}`)
  report('unpacking it')
  const unpacker = fileURLToPath(new URL('unpack-wheel.py', import.meta.url))
  run('python3', [unpacker, join(partial, wheel), partial], {
    timeoutMs: 300_000,
    remedy: 'Needed: 700 MB of free disk space.',
  })
  rmSync(join(partial, wheel))
  renameSync(partial, unpacked)
}

/** Hard links where the file system allows them: 600 MB are not stored twice. */
export function linkLibraries (
  { libraries, names, frameworkNames }: Pick<Installation, 'libraries' | 'names' | 'frameworkNames'>,
  from: string
): void {
  rmSync(libraries, { recursive: true, force: true })
  mkdirSync(libraries, { recursive: true })
  for (const library of [LIBRARY, FRAMEWORK]) {
    try {
      linkSync(join(from, library), join(libraries, library))
    } catch {
      copyFileSync(join(from, library), join(libraries, library))
    }
  }
  for (const name of names) symlinkSync(LIBRARY, join(libraries, name))
  for (const name of frameworkNames) symlinkSync(FRAMEWORK, join(libraries, name))
}

function compileAddon ({ folder, addon, libraries, headers }: Installation, include: string): void {
  mkdirSync(dirname(addon), { recursive: true })
  run(process.env['CXX'] ?? 'g++', [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-w',
    '-DNAPI_VERSION=8',
    `-I${headers}`,
    `-I${include}`,
    `-I${folder}`,
    join(folder, 'binding/tfjs_backend.cc'),
    join(folder, 'binding/tfjs_binding.cc'),
    '-o',
    addon,
    `-L${libraries}`,
    `-l:${LIBRARY}`,
    `-l:${FRAMEWORK}`,
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ], { timeoutMs: 300_000, remedy: COMPILER_REMEDY })
}
