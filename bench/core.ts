// Speed of the core: `npm run -s bench:core [-- --data <folder with skab/>] [--large] [--json]`; with `--detector` only
// the CPU time of the whole detector.
import { Command } from 'commander'
import { Detector, detectCausal } from '../core/detector/detector.ts'
import { type AdHocDetector, fitAdHoc } from '../core/fitting/ad-hoc.ts'
import { FIT_DEFAULTS, fitDetector, type MemberToFit } from '../core/fitting/fit.ts'
import { detectBatch } from '../core/detector/hindsight.ts'
import { createSubspaceKernel } from '../core/linear/linear-kernel.ts'
import { createRandom } from '../core/random.ts'
import { fromColumns, type Series, slice } from '../core/series/series.ts'
import { subspaceAutoencoder } from '../core/linear/linear.ts'
import { defaultMembers, learnerOf } from '../core/fitting/members.ts'
import { type Autoencoder } from '../core/scoring/reconstruction-error.ts'
import { fitSubspace, type Subspace } from '../core/linear/subspace.ts'
import { loadBackend } from '../adapters/tfjs/backend.ts'
import { sampleWindows } from '../core/series/window.ts'
import { ARCHITECTURES } from '../model-creation/architectures/index.ts'
import { answerRequest } from '../model-serving/compute/answer-request.ts'
import type { ComputeTask } from '../model-serving/compute/messages/messages.ts'
import type { ModelInService } from '../model-serving/packages/resident-models.ts'
import { listFiles, readFileOf } from './datasets.ts'

const flags = new Command('npm run bench:core --')
  .option('--data <folder>', 'folder with skab/; without it that case is left out')
  .option('--large', 'also 1000 channels × 100,000 rows')
  .option('--detector', 'only the CPU time of the whole detector')
  .option('--json', 'one JSON document on stdout')
  .parse().opts<{ data?: string, large?: boolean, detector?: boolean, json?: boolean }>()

const results: Record<string, number> = {}

/** Records the median time in milliseconds, without the first tenth of the calls, which warms up the compiler. */
async function measure (name: string, repeats: number, work: () => unknown): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  const warm = times.slice(Math.ceil(repeats / 10)).sort((a, b) => a - b)
  report(name, warm[warm.length >> 1]!)
}

function report (name: string, value: number): void {
  results[name] = value
  if (!flags.json) console.log(`${name}: ${value.toPrecision(3)}`)
}

/** `length` observations of waves with noise, standardised, shape [length × channels]. */
function waves (length: number, channels: number): Float32Array {
  const random = createRandom('bench')
  return Float32Array.from({ length: length * channels }, (_, i) =>
    Math.sin(Math.floor(i / channels) / (7 + i % channels) + i % channels) + 0.3 * random.normal())
}

/** The leading `components` directions of a run's windows. */
function subspaceOf (run: Float32Array, channels: number, windowLength: number, components: number): Subspace {
  const fitted = fitSubspace(sampleWindows([run], channels, windowLength, 1000), 0.999)
  const used = Math.min(components, fitted.components)
  return { ...fitted, components: used, directions: fitted.directions.slice(0, used * fitted.width) }
}

async function numericPart (length: number, channels: number, windowLength: number, components: number): Promise<void> {
  const run = waves(length, channels)
  const subspace = subspaceOf(run.subarray(0, 2000 * channels), channels, windowLength, components)
  const kernel = createSubspaceKernel(subspace, channels)
  const weights = Array<number>(channels).fill(1)
  const name = `${length} × ${channels}, W ${windowLength}, ${subspace.components} directions`
  await measure(`${name}: batch, ms`, 101, () => kernel.runErrors(run, { tail: windowLength, weights, expected: true }))
  await measure(
    `${name}: batch without expected values, ms`,
    51,
    () => kernel.runErrors(run, { tail: windowLength, weights, expected: false })
  )
  const tail = Math.max(8, windowLength >> 2)
  await measure(`${name}: causal, ms`, 51, () => kernel.runErrors(run, { tail, weights, expected: false }))
}

function seriesOf (run: Float32Array, channels: number): Series {
  const columns = Object.fromEntries(
    Array.from({ length: channels }, (_, c) => [`c${c}`, Array.from(run).filter((_, i) => i % channels === c)])
  )
  return fromColumns({ start: 0, interval: 1000, columns })
}

async function oneObservation (): Promise<void> {
  const run = waves(4000, 12)
  const settings = { ...FIT_DEFAULTS, maxWindows: 200, folds: 2 }
  const { model } = await fitDetector([seriesOf(run, 12)], settings, [{
    windowLength: 16,
    tail: 8,
    learn: learnerOf('linear'),
  }])
  const subspace = subspaceOf(run, 12, 16, 12)
  const kernel = createSubspaceKernel(subspace, 12)
  const detector = new Detector(model, [subspaceAutoencoder(subspace, 12)])
  let time = 0
  const rows = Array.from({ length: 1000 }, (_, t) => run.subarray(t * 12, t * 12 + 12))
  await measure('1000 × observe(), 12 channels, W 16, 12 directions: ms', 41, () => {
    for (const values of rows) detector.observe({ time: time += 1000, values })
  })
  const window = run.subarray(0, 16 * 12)
  const options = { tail: 8, weights: model.weights, expected: false }
  await measure('1000 × runErrors() of one such window: ms', 41, () => {
    for (let i = 0; i < 1000; i++) kernel.runErrors(window, options)
  })
}

/** Fit, calibration and both scorings of a benchmark file, by the kernel and by the TensorFlow.js path. */
async function benchmarkFile (folder: string): Promise<void> {
  const [name] = await listFiles(`${folder}/skab`, 'all')
  const { series, train } = await readFileOf(`${folder}/skab`, name!)
  await measure(`SKAB ${name}, ${series.length} rows: fit, calibrate, batch, causal; ms`, 41, async () => {
    await fitAndScore(series, train, [{ ...LONE, learn: learnerOf('linear') }])
  })
  const members = defaultMembers(train, series.channels.length).map((member) => ({
    ...member,
    learn: learnerOf(member.architecture),
  }))
  await measure('the same with the default ensemble, ms', 15, async () => fitAndScore(series, train, members))
  const backend = await loadBackend('wasm')
  const learn = ARCHITECTURES.linear.learner({}, { backend, seed: 1, onEpoch: () => {} })
  await measure('the first through TensorFlow.js on WASM, ms', 15, async () => {
    const autoencoders = await fitAndScore(series, train, [{ ...LONE, learn }])
    for (const autoencoder of autoencoders) autoencoder.dispose?.()
  })
}

const LONE = { windowLength: 16, tail: 8 }

async function fitAndScore (
  series: Series,
  train: number,
  members: ReadonlyArray<MemberToFit<Autoencoder>>
): Promise<readonly Autoencoder[]> {
  const { model, autoencoders } = await fitDetector([slice(series, 0, train)], FIT_DEFAULTS, members)
  detectBatch(model, autoencoders, series)
  detectCausal(model, autoencoders, series)
  return autoencoders
}

async function fits (): Promise<void> {
  for (const [channels, count] of [[8, 385], [8, 1000], [38, 1000], [55, 1000]] as const) {
    const windows = sampleWindows([waves(count + 15, channels)], channels, 16, 1000)
    await measure(
      `fitSubspace(), ${windows.count} windows × ${windows.width}: ms`,
      channels > 8 ? 7 : 21,
      () => fitSubspace(windows, 0.8)
    )
  }
}

/** Scores rows in pieces of 1000 that overlap by a window: memory does not grow with the rows. */
async function growth (): Promise<void> {
  const cases = [
    [10_000, 10],
    [100_000, 10],
    [10_000, 100],
    [1000, 1000],
    ...flags.large ? [[100_000, 1000]] : [],
  ] as Array<[number, number]>
  for (const [rows, channels] of cases) {
    const piece = waves(1015, channels)
    const kernel = createSubspaceKernel(subspaceOf(piece.subarray(0, 400 * channels), channels, 16, 12), channels)
    const weights = Array<number>(channels).fill(1)
    await measure(`${rows} × ${channels}, W 16, 12 directions, batch: ms`, rows * channels > 1e7 ? 1 : 5, () => {
      for (let from = 0; from < rows; from += 1000) kernel.runErrors(piece, { tail: 16, weights, expected: true })
    })
  }
  report('resident memory, MB', process.memoryUsage().rss / 2 ** 20)
}

/** Records the least CPU time of all threads in milliseconds: other programs on the machine do not add to it. */
async function measureCpu (name: string, repeats: number, work: () => unknown): Promise<void> {
  let least = Infinity
  for (let i = 0; i < repeats; i++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  report(name, least)
}

const LIMITS = { maxBodyBytes: 1e8, maxValues: 1e7, adHocMaxValues: 1e7 }

/** A fitted model as if it were served: all that a request reads of its manifest. */
function served ({ model, autoencoders }: AdHocDetector): ModelInService {
  const manifest = { name: 'waves', architecture: 'ensemble', detector: model, sensitivity: undefined }
  return { manifest, version: '1', digest: 'none', stale: false, autoencoders } as unknown as ModelInService
}

/** Requests from the bytes of the body to those of the answer; fits and scores; observations of a stream. */
async function wholeDetector (): Promise<void> {
  const series = seriesOf(waves(28_000, 1), 1)
  const named = await fitAdHoc(series)
  const body = (model: string): Uint8Array => new TextEncoder().encode(JSON.stringify({
    model,
    start: new Date(series.start).toISOString(),
    step: 'PT1S',
    channels: { c0: Array.from(series.values) },
  }))
  const lookup = { get: async () => served(named), withChannels: async () => undefined }
  for (const [name, model, repeats] of [['ad hoc', 'ad-hoc', 41], ['by a model', 'waves', 81]] as const) {
    const task: ComputeTask = {
      body: body(model),
      mediaType: 'application/json',
      contentType: 'application/json',
      query: {},
      answerTypes: ['application/json'],
    }
    await measureCpu(`28000 × 1 ${name}, request to answer: CPU ms`, repeats, async () => {
      const outcome = await answerRequest(lookup, LIMITS, task)
      if ('failure' in outcome) throw new Error(JSON.stringify(outcome.failure))
    })
  }
  for (const channels of [20, 60]) {
    const several = seriesOf(waves(2000, channels), channels)
    await measureCpu(`2000 × ${channels} ad hoc, fit and batch: CPU ms`, 7, async () => {
      const { model, autoencoders } = await fitAdHoc(several, { scoring: 'batch' })
      detectBatch(model, autoencoders, several)
    })
  }
  const run = waves(4000, 12)
  const { model, autoencoders } = await fitAdHoc(seriesOf(run, 12), { rows: 3000 })
  const detector = new Detector(model, autoencoders)
  const rows = Array.from({ length: 1000 }, (_, t) => run.subarray(t * 12, t * 12 + 12))
  let time = 0
  await measureCpu('1000 × observe() of the default detector, 12 channels: CPU ms', 41, () => {
    for (const values of rows) detector.observe({ time: time += 1000, values })
  })
}

if (!flags.detector) {
  await numericPart(28_000, 1, 128, 10)
  await numericPart(8640, 10, 16, 12)
  await oneObservation()
  if (flags.data !== undefined) await benchmarkFile(flags.data)
  await fits()
  await growth()
}
await wholeDetector()
if (flags.json) console.log(JSON.stringify(results, undefined, 2))
