// Real models and real apps for the tests: small linear detectors, fitted in memory on the simulated wind farm.
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { FIT_DEFAULTS, fitDetector, type FitSettings } from '../../core/fitting/fit.ts'
import { makeGolden, reproduceGolden } from '../../core/package/golden.ts'
import { subspaceAutoencoder } from '../../core/linear/linear.ts'
import { MANIFEST_FORMAT, ManifestSchema } from '../../core/package/manifest.ts'
import { createRandom } from '../../core/random.ts'
import { measureSensitivity } from '../../core/sensitivity/sheet.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import { fitSubspace, type Subspace } from '../../core/linear/subspace.ts'
import type { WindowMatrix } from '../../core/series/window.ts'
import { simulateFarm } from '../../simulator/simulate.ts'
import { buildApp } from '../app.ts'
import { answerRequest } from '../compute/answer-request.ts'
import { failureOf } from '../compute/messages/plain-failure.ts'
import { type Config, readConfig } from '../settings/config.ts'
import type { OpenModel } from '../packages/identity.ts'
import { PackageCache } from '../packages/package-cache.ts'
import { ResidentModels } from '../packages/resident-models.ts'
import { type ServedModel, ServedModels } from '../packages/served-models.ts'
import type { ModelSource } from '../packages/model-source.ts'
import { WorkerPool } from '../workers/pool.ts'
import type { Scorer } from '../workers/scorer.ts'

/** A model whose weights can be serialised, so that a worker thread can open it. */
export interface FixtureModel extends OpenModel {
  readonly version: string
  readonly subspace: Subspace
}

function learn (windows: WindowMatrix) {
  const subspace = fitSubspace(windows, 0.97)
  return { subspace, ...subspaceAutoencoder(subspace, windows.channels) }
}

async function fitModel (
  name: string,
  series: readonly Series[],
  windowLength: number,
  settings: Partial<FitSettings> = {}
): Promise<FixtureModel> {
  const fit = async (part: readonly Series[]) =>
    fitDetector(part, { ...FIT_DEFAULTS, folds: 2, ...settings }, [{ windowLength, tail: windowLength, learn }])
  const { model, autoencoders } = await fit(series)
  const manifest = ManifestSchema.parse({
    format: MANIFEST_FORMAT,
    name,
    version: '1',
    description: `Fitted for the tests: ${name}`,
    architecture: 'linear',
    detector: model,
    training: {
      tfjs: '4.22.0',
      backend: 'cpu',
      parameters: {},
      dataSha256: sha256(series[0]!.values),
      series: series.length,
      observations: series[0]!.length,
    },
    sensitivity: await measureSensitivity(series, fit, { values: 20_000 }),
  })
  const goldenDifference = reproduceGolden(model, autoencoders, makeGolden(model, autoencoders, series[0]!))
  return {
    manifest,
    version: '1',
    digest: `sha256:${sha256(JSON.stringify(manifest))}`,
    goldenDifference,
    autoencoders,
    engines: ['cpu'],
    subspace: autoencoders[0]!.subspace,
    dispose () {},
  }
}

const sha256 = (content: string | Float64Array): string => createHash('sha256').update(content).digest('hex')

export const STEP_MS = 600_000
export const START = Date.UTC(2026, 0, 1)

/** Two related channels: wind, and the power that follows it. */
export function windSeries (length: number, seed = 'wind', start = START): Series {
  const random = createRandom(seed)
  const wind: number[] = []
  for (let t = 0; t < length; t++) wind.push(8 + 3 * Math.sin(t / 12) + 0.3 * random.normal())
  return fromColumns({
    start,
    interval: STEP_MS,
    columns: { wind_speed_ms: wind, power_kw: wind.map((speed) => 90 * speed + 5 * random.normal()) },
  })
}

/** The window of the small model. */
export const WINDOW = 8

/** A two-channel model named `small`, which scores fast. It knows no season but those of the calendar. */
export const smallModel = await fitModel('small', [windSeries(600)], WINDOW, { evidence: { anyPeriod: false } })

/**
 * The model of the wind farm, named `wind-turbine`: the examples of the documentation are for it. It has the settings
 * of the pipeline.
 */
export async function turbineModel (): Promise<FixtureModel> {
  const { turbines } = simulateFarm({ turbines: 1, days: 60, trainingDays: 60 })
  return fitModel('wind-turbine', turbines.map(({ series }) => series), 8, {
    folds: 4,
    batch: { ...FIT_DEFAULTS.batch, smoothing: 37, factor: 1.05 },
  })
}

/** Settings of a service that ignores the models in the working folder. */
export function testConfig (changes: Partial<Config> = {}): Config {
  const config = readConfig({})
  return { ...config, registry: { ...config.registry, location: undefined }, logLevel: 'silent', ...changes }
}

const BACKEND = { name: 'cpu', version: '4.22.0' }

type Fixed = Pick<FixtureModel, 'manifest' | 'version' | 'digest' | 'goldenDifference' | 'autoencoders'>

/** Served as they are. */
export function servedModels (models: readonly Fixed[]): ServedModels {
  const served = new ServedModels()
  served.open(models.map(servedModel), BACKEND)
  return served
}

const servedModel = (live: Fixed): ServedModel => ({
  name: live.manifest.name,
  live,
  versions: [{ name: live.manifest.name, version: live.version, digest: live.digest }],
})

/** The parts of a service that serves fixed models. */
interface Serving {
  readonly models: ServedModels
  readonly scorer: Scorer
  readonly sources: readonly ModelSource[]
}

/** The models as packages, with bytes from `write`. */
function supplyOf (models: readonly Fixed[], write: (model: Fixed) => Uint8Array): ModelSource {
  const found = models.map((model) => servedModel(model)).map(({ name, versions }) => ({
    name,
    versions,
    live: versions[0],
    earlier: undefined,
    shadow: undefined,
  }))
  return {
    location: 'the test',
    strict: true,
    list: async () => found,
    fetch: async (ref) => write(models.find(({ digest }) => digest === ref.digest)!),
    where: ({ name }) => name,
    watch: () => ({ close () {} }),
    close () {},
  }
}

/** The open models, as in a worker thread. */
export function residentModels (models: readonly Fixed[]): ResidentModels {
  const resident = new ResidentModels({
    open: async (where) => {
      const { version, ...model } = models.find(({ manifest }) => manifest.name === where)!
      return { ...model, engines: ['cpu'], dispose () {} }
    },
    backend: 'cpu',
    budget: 1000,
  })
  resident.follow(servedModels(models).catalogue, 1)
  return resident
}

/** Scores on this thread, for models that cannot be serialised. Requests and answers are copied as between threads. */
export function onThisThread (models: readonly Fixed[], changes: Partial<Config> = {}): Serving {
  const resident = residentModels(models)
  const add = async ({ manifest: { name }, version, digest }: Fixed): Promise<OpenModel> =>
    resident.add({ name, version, digest, where: name, bytes: new Uint8Array(1) })
  const scorer: Scorer = {
    start: async () => BACKEND.version,
    prove: async ({ name }) => {
      const model = models.find(({ manifest }) => manifest.name === name)!
      const { manifest, version, digest, goldenDifference } = model
      return { identity: { manifest, version, digest, goldenDifference }, engines: ['cpu'] }
    },
    examine: async () => {},
    table: async () => new Uint8Array(),
    drift: async () => undefined,
    load: () => ({ waiting: 0, running: 0, refused: 0 }),
    answer: async (task) => {
      for (const model of models) await add(model)
      const outcome = structuredClone(await answerRequest(resident, testConfig(changes), structuredClone(task)))
      if ('failure' in outcome) throw failureOf(outcome.failure)
      return outcome.answered
    },
    close: async () => {},
  }
  return { models: servedModels(models), scorer, sources: [supplyOf(models, () => new Uint8Array(1))] }
}

/** One worker thread with the models. */
export function inWorker (
  models: readonly FixtureModel[],
  changes: Partial<Config> = {}
): Serving & { readonly scorer: WorkerPool } {
  const written = (model: Fixed): Uint8Array => {
    const { manifest, digest, goldenDifference, subspace: { mean, directions, ...sizes } } = model as FixtureModel
    return new TextEncoder().encode(
      JSON.stringify({
        manifest,
        digest,
        goldenDifference,
        subspace: { ...sizes, mean: [...mean], directions: [...directions] },
      })
    )
  }
  const config = testConfig({ computeWorkers: 1, ...changes })
  const source = supplyOf(models, written)
  const packageCache = new PackageCache(config.registry.memoryBytes)
  packageCache.drawFrom(new Map(models.map(({ manifest }) => [manifest.name, source])))
  const served = servedModels(models)
  return {
    models: served,
    sources: [source],
    scorer: new WorkerPool({
      config,
      models: served,
      packageCache,
      opener: new URL('./fixture-opener.ts', import.meta.url).href,
    }),
  }
}

/** An app without a log that serves the models. Without models it never becomes ready. */
async function appWith (
  { scorer, models }: Serving,
  isReady: boolean,
  changes: Partial<Config>
): Promise<FastifyInstance> {
  await scorer.start(() => {})
  return buildApp({ config: testConfig(changes), models: isReady ? models : new ServedModels(), scorer, logger: false })
}

/** Scores on the thread of the test: starts at once, and accepts faulty models. */
export async function testApp (models: readonly Fixed[], changes: Partial<Config> = {}): Promise<FastifyInstance> {
  return appWith(onThisThread(models, changes), models.length > 0, changes)
}

/** Scores in a worker thread, as the service does. */
export async function threadedApp (
  models: readonly FixtureModel[],
  changes: Partial<Config> = {}
): Promise<FastifyInstance> {
  return appWith(inWorker(models, changes), models.length > 0, changes)
}

/** The JSON form of a series. */
export function jsonOf (
  series: Series
): { start: string, step: string, channels: Record<string, Array<number | null>> } {
  return { start: new Date(series.start).toISOString(), step: 'PT10M', channels: columnsOf(series) }
}

export function columnsOf ({ channels, length, values }: Series): Record<string, Array<number | null>> {
  return Object.fromEntries(channels.map((name, c) => [name, Array.from({ length }, (_, t) => {
    const value = values[t * channels.length + c]!
    return Number.isNaN(value) ? null : value
  })]))
}

export const timesOf = ({ start, interval, length }: Series): string[] =>
  Array.from({ length }, (_, t) => new Date(start + t * interval).toISOString())

/** The CSV form of a series. */
export function csvOf (series: Series): string {
  const columns = Object.values(columnsOf(series))
  const rows = timesOf(series).map((time, t) => [time, ...columns.map((column) => column[t] ?? '')])
  return [['timestamp', ...series.channels], ...rows].map((row) => `${row.join(',')}\n`).join('')
}

/** A form with one part. */
export function formOf (text: string, field = 'file'): { payload: string, headers: { 'content-type': string } } {
  const payload =
    `--edge\r\nContent-Disposition: form-data; name="${field}"; filename="series.csv"\r\n` +
    `Content-Type: text/csv\r\n\r\n${text}\r\n--edge--\r\n`
  return { payload, headers: { 'content-type': 'multipart/form-data; boundary=edge' } }
}
