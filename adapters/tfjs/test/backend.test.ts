// Picks the right backend, only one per process, and gives it to a package built on tfjs-node.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type * as danfojs from 'danfojs-node'
import t from 'tap'
import { type BackendChoice, hasNativeAddon, loadBackend, serveTensorflowTo } from '../backend.ts'

const choice = (process.env['TFJS_BACKEND'] ?? 'auto') as BackendChoice
const best = hasNativeAddon() ? 'native' : 'wasm'

/**
 * Loads a backend in its own process (under tsx). Returns what the process found, and everything it printed to stderr.
 */
async function loadElsewhere (wanted: BackendChoice): Promise<{ found: Record<string, unknown>, stderr: string }> {
  const program = `
    import { loadBackend } from ${JSON.stringify(new URL('../backend.ts', import.meta.url).href)}
    const listeners = () => process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')
    const before = listeners()
    try {
      const { tf, name, version } = await loadBackend('${wanted}')
      const sum = tf.tidy(() => tf.tensor1d([1, 2]).add(tf.tensor1d([10, 20]))).dataSync()
      const found = { name, version, engine: tf.getBackend(), sum: [...sum], listeners: listeners() - before }
      console.log(JSON.stringify(found))
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }))
    }`
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout, stderr } = await promisify(execFile)(process.execPath,
    ['--import', 'tsx', '--no-deprecation', '--input-type=module', '-e', program], { env, timeout: 60_000 })
  return { found: JSON.parse(stdout) as Record<string, unknown>, stderr }
}

t.test('auto takes native if its addon was built, else WASM, and prints nothing', async (t) => {
  const { found, stderr } = await loadElsewhere('auto')
  t.match(found, { name: best, sum: [11, 22], listeners: 0 })
  t.equal(stderr, '')
})

t.test('plain JavaScript can be forced, and prints no advertisement', async (t) => {
  const { found, stderr } = await loadElsewhere('cpu')
  t.same(found, { name: 'cpu', version: '4.22.0', engine: 'cpu', sum: [11, 22], listeners: 0 })
  t.equal(stderr, '')
})

t.test('WASM can be forced, even if native is available', async (t) => {
  const { found, stderr } = await loadElsewhere('wasm')
  t.same(found, { name: 'wasm', version: '4.22.0', engine: 'wasm', sum: [11, 22], listeners: 0 })
  t.equal(stderr, '')
})

t.test('without the native addon, the error names the command that builds it', async (t) => {
  const { found } = await loadElsewhere('native')
  if (hasNativeAddon()) t.match(found, { name: 'native', engine: 'tensorflow', sum: [11, 22] })
  else t.match(found, { code: 'backend-unavailable', message: /npm run setup:native/ })
})

t.test('one process runs one backend', async (t) => {
  const [backend, again] = await Promise.all([loadBackend(choice), loadBackend(choice)])
  t.equal(again, backend)
  t.equal(await loadBackend('auto'), backend)
  t.equal(await loadBackend(backend.name), backend)
  if (choice !== 'auto') t.equal(backend.name, choice)
  const other = backend.name === 'cpu' ? 'wasm' : 'cpu'
  await t.rejects(loadBackend(other), {
    code: 'backend-unavailable',
    extensions: { choice: other, loaded: backend.name },
  })
  t.equal(
    backend.tf.getBackend(),
    backend.name === 'native' ? 'tensorflow' : backend.name,
    'the refusal changed nothing'
  )
})

t.test('danfojs-node, which requires tfjs-node, computes on the loaded backend', async (t) => {
  const backend = await loadBackend(choice)
  const danfo = serveTensorflowTo<typeof danfojs>(backend, 'danfojs-node')
  t.equal(danfo.tensorflow.getBackend(), backend.tf.getBackend())
  if (backend.name !== 'native') t.equal(danfo.tensorflow as unknown, backend.tf)
  const folder = t.testdir({ 'wind.csv': 'time,speed\n2026-01-01,3.5\n2026-01-02,\n2026-01-03,4.5\n' })
  const frame = await danfo.readCSV(`${folder}/wind.csv`)
  t.same(frame.columns, ['time', 'speed'])
  t.same(frame.shape, [3, 2])
  t.same(frame.column('speed').values, [3.5, null, 4.5])
  t.equal(serveTensorflowTo<typeof danfojs>(backend, 'danfojs-node'), danfo)
})
