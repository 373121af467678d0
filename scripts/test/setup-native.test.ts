// The set-up of the native backend as far as it goes without a download: routes, refusals, probes, links, proof.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, renameSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { addsTwoNumbers, findInstallation } from '../setup-native/installation.ts'
import { isMode, routesOf } from '../setup-native/routes.ts'
import { run } from '../setup-native/run.ts'
import { hostAnswers, installerHost } from '../setup-native/upstream.ts'
import { hasUnpackedWheel, linkLibraries } from '../setup-native/wheel.ts'

const scripts = dirname(dirname(fileURLToPath(import.meta.url)))
const project = dirname(scripts)

t.test('the routes follow from mode, machine and cache', async (t) => {
  t.same(routesOf('auto', 'linux', 'x64', false), ['upstream', 'wheel'])
  t.same(routesOf('auto', 'linux', 'x64', true), ['wheel'], 'what is cached needs no probe')
  t.same(routesOf('auto', 'darwin', 'arm64', false), ['upstream'])
  t.same(routesOf('auto', 'linux', 'arm64', true), ['upstream'])
  t.same(routesOf('upstream', 'linux', 'x64', true), ['upstream'])
  t.same(routesOf('wheel', 'linux', 'x64', false), ['wheel'])
  t.throws(() => routesOf('wheel', 'darwin', 'arm64', false), /linux x64, this is darwin arm64.*TFJS_NATIVE=upstream/)
  t.same(['auto', 'upstream', 'wheel', 'skip', ''].filter(isMode), ['auto', 'upstream', 'wheel'])
})

t.test('the installed package names its files and its download host', async (t) => {
  const installation = findInstallation(project)
  t.equal(installation.version, '4.22.0')
  t.same(installation.names, ['libtensorflow.so.2.9.1', 'libtensorflow.so'])
  t.same(installation.frameworkNames, ['libtensorflow_framework.so.2.9.1', 'libtensorflow_framework.so'])
  t.ok(statSync(join(installation.headers, 'node_api.h')).isFile())
  t.match(installerHost(installation.folder, {}), /^https:\/\/[^/]+\/$/)
  t.equal(installerHost(installation.folder, { CDN_STORAGE: 'http://mirror.test/' }), 'http://mirror.test/')
  const renamed = t.testdir({ scripts: { 'install.js': 'const BASE = 1' } })
  t.throws(() => installerHost(renamed, {}), /names no download host.*TFJS_NATIVE=wheel/)
})

t.test('a project without tfjs-node is told to install it', async (t) => {
  t.throws(() => findInstallation(t.testdir({ 'package.json': '{}' })), /tfjs-node is not installed.*npm ci/)
})

t.test('a host answers with whatever status; silence and a closed port are no answer', async (t) => {
  const silent = createServer(() => {})
  const answering = createServer((_, response) => { response.writeHead(403).end() })
  const addresses = await Promise.all([silent, answering].map(async (server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }))
  t.teardown(() => { silent.closeAllConnections(); silent.close() })
  t.equal(await hostAnswers(addresses[1]!, 5_000), true)
  t.equal(await hostAnswers(addresses[0]!, 50), false)
  answering.closeAllConnections()
  await new Promise((resolve) => answering.close(resolve))
  t.equal(await hostAnswers(addresses[1]!, 5_000), false)
})

t.test('an addon that is missing or does not load is not taken for a working one', async (t) => {
  const folder = t.testdir({
    broken: { 'index.js': 'require("./addon.node")', 'addon.node': 'not a library' },
    wrong: { 'index.js': 'exports.getBackend = () => "cpu"', 'addon.node': '' },
  })
  t.equal(addsTwoNumbers({ folder, addon: join(folder, 'none.node') }), false)
  for (const name of ['broken', 'wrong']) {
    t.equal(addsTwoNumbers({ folder: join(folder, name), addon: join(folder, name, 'addon.node') }), false)
  }
})

t.test('libraries are linked under every name, again after an earlier attempt, without a second copy', async (t) => {
  const folder = t.testdir({
    cache: { 'libtensorflow_cc.so.2': 'library', 'libtensorflow_framework.so.2': 'framework' },
    deps: { lib: { 'libtensorflow.so': 'left over' } },
  })
  const installation = {
    libraries: join(folder, 'deps/lib'),
    names: ['libtensorflow.so.2.9.1', 'libtensorflow.so'],
    frameworkNames: ['libtensorflow_framework.so'],
  }
  for (let round = 0; round < 2; round++) {
    linkLibraries(installation, join(folder, 'cache'))
    t.equal(readFileSync(join(installation.libraries, 'libtensorflow.so'), 'utf8'), 'library')
    t.equal(readFileSync(join(installation.libraries, 'libtensorflow_framework.so'), 'utf8'), 'framework')
    t.equal(
      readlinkSync(join(installation.libraries, 'libtensorflow.so.2.9.1')),
      'libtensorflow_cc.so.2',
      'relative, so that the project can be moved'
    )
    t.equal(statSync(join(folder, 'cache/libtensorflow_cc.so.2')).nlink, 2)
  }
})

t.test('a download that was cut off is not taken for a cached one', async (t) => {
  const cache = t.testdir({})
  t.equal(hasUnpackedWheel(cache), false)
  mkdirSync(join(cache, 'libtensorflow-2.15.1.partial'))
  t.equal(hasUnpackedWheel(cache), false)
  renameSync(join(cache, 'libtensorflow-2.15.1.partial'), join(cache, 'libtensorflow-2.15.1'))
  t.equal(hasUnpackedWheel(cache), true)
})

t.test('only libraries and headers leave the wheel', {
  skip: spawnSync('python3', ['--version']).status !== 0 && 'python3 is not installed',
}, async (t) => {
  const folder = t.testdir({})
  const members = [
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/include/tensorflow/c/c_api.h',
    'tensorflow/include/tsl/c/tsl_status.h',
    'tensorflow/include/tensorflow/c/notes.txt',
    'tensorflow/include/Eigen/Core.h',
    'tensorflow/python/keras.py',
  ]
  run('python3', [
    '-c',
    'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n' +
      '  for name in sys.argv[2:]: z.writestr(name, name)',
    join(folder, 'a.whl'),
    ...members,
  ], { timeoutMs: 20_000, remedy: '' })
  run('python3', [join(scripts, 'setup-native/unpack-wheel.py'), join(folder, 'a.whl'), join(folder, 'out')], {
    timeoutMs: 20_000,
    remedy: '',
  })
  const found = spawnSync('find', ['.', '-type', 'f'], { cwd: join(folder, 'out'), encoding: 'utf8' }).stdout.trim()
    .split('\n').sort()
  t.same(found, ['./include/tensorflow/c/c_api.h', './include/tsl/c/tsl_status.h', './lib/libtensorflow_cc.so.2'])
  t.equal(readFileSync(join(folder, 'out/include/tsl/c/tsl_status.h'), 'utf8'), 'tensorflow/include/tsl/c/tsl_status.h')
})

t.test('a program that fails, hangs or is missing is named with the remedy', async (t) => {
  const remedy = 'Install it.'
  t.throws(
    () => run('no-such-program', [], { timeoutMs: 5_000, remedy }),
    /no-such-program failed \(.*ENOENT\)\. Install it\./
  )
  t.throws(
    () => run(process.execPath, ['-e', 'process.exit(3)'], { timeoutMs: 20_000, remedy }),
    /exit code 3\)\. Install it\./
  )
  t.throws(
    () => run(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { timeoutMs: 200, remedy }),
    /Install it\./
  )
})

t.test('the command refuses what it cannot do and says what to do', async (t) => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const command = (args: string[]) =>
    promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--no-deprecation',
      join(scripts, 'setup-native.ts'),
      ...args,
    ], { env, cwd: project, timeout: 60_000 })
  await t.rejects(command(['--mode', 'skip']), { code: 1, stderr: /'skip' is not a mode.*auto, upstream or wheel/ })
  await t.rejects(command(['--project', t.testdir({ 'package.json': '{}' })]), { code: 1, stderr: /npm ci/ })
})
