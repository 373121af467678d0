// Real models and real apps for the tests: small linear detectors, fitted in memory on the simulated wind farm.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { FIT_DEFAULTS, fitDetector, type FitSettings } from '../../core/fit.ts'
import { makeGolden, reproduceGolden } from '../../core/golden.ts'
import { subspaceAutoencoder } from '../../core/linear.ts'
import { MANIFEST_FORMAT, ManifestSchema } from '../../core/manifest.ts'
import { createRandom } from '../../core/random.ts'
import { fromColumns, type Series } from '../../core/series.ts'
import { fitSubspace, type Subspace } from '../../core/subspace.ts'
import type { WindowMatrix } from '../../core/window.ts'
import { simulateFarm } from '../../core/wind-farm/simulate.ts'
import { buildApp } from '../app.ts'
import { answerRequest } from '../compute/answer-request.ts'
import { failureOf } from '../compute/plain-failure.ts'
import { type Config, readConfig } from '../config.ts'
import { ModelRegistry, type ServedModel } from '../models.ts'
import { WorkerPool } from '../workers/pool.ts'
import type { Scorer } from '../workers/scorer.ts'

/** A model whose weights can be written down, so that a worker thread can have it, too. */
export interface FixtureModel extends ServedModel {
  readonly subspace: Subspace
}

function learn (windows: WindowMatrix) {
  const subspace = fitSubspace(windows, 0.97)
  return { subspace, ...subspaceAutoencoder(subspace, windows.channels) }
}

async function fitModel (name: string, series: readonly Series[], windowLength: number, settings: Partial<FitSettings> = {}): Promise<FixtureModel> {
  const { model, autoencoders } = await fitDetector(series, { ...FIT_DEFAULTS, folds: 2, ...settings }, [{ windowLength, tail: windowLength, learn }])
  const manifest = ManifestSchema.parse({
    format: MANIFEST_FORMAT,
    name,
    version: '1',
    description: `Fitted for the tests: ${name}`,
    architecture: 'linear',
    detector: model,
    training: { tfjs: '4.22.0', backend: 'cpu', parameters: {}, dataSha256: sha256(series[0]!.values), series: series.length, observations: series[0]!.length },
  })
  const goldenDifference = reproduceGolden(model, autoencoders, makeGolden(model, autoencoders, series[0]!))
  return { manifest, digest: `sha256:${sha256(JSON.stringify(manifest))}`, goldenDifference, autoencoders, subspace: autoencoders[0]!.subspace }
}

const sha256 = (content: string | Float64Array): string => createHash('sha256').update(content).digest('hex')

export const STEP_MS = 600_000
export const START = Date.UTC(2026, 0, 1)

/** Two channels that follow each other: power as the wind blows. */
export function windSeries (length: number, seed = 'wind', start = START): Series {
  const random = createRandom(seed)
  const wind: number[] = []
  for (let t = 0; t < length; t++) wind.push(8 + 3 * Math.sin(t / 12) + 0.3 * random.normal())
  return fromColumns({ start, interval: STEP_MS, columns: { wind_speed_ms: wind, power_kw: wind.map((speed) => 90 * speed + 5 * random.normal()) } })
}

/** The window of the small model. */
export const WINDOW = 8

/** A two-channel model named `small`, quick to score with. */
export const smallModel = await fitModel('small', [windSeries(600)], WINDOW)

/** The wind farm's model, as `wind-turbine`: what the documentation's examples are posted to. Its settings are the pipeline's. */
export async function turbineModel (): Promise<FixtureModel> {
  const { turbines } = simulateFarm({ turbines: 1, days: 60, trainingDays: 60 })
  return fitModel('wind-turbine', turbines.map(({ series }) => series), 8, { folds: 4, batch: { ...FIT_DEFAULTS.batch, smoothing: 37, factor: 1.05 } })
}

export const testConfig = (changes: Partial<Config> = {}): Config => ({ ...readConfig({}), logLevel: 'silent', ...changes })

const BACKEND = { name: 'cpu', version: '4.22.0' }

/** Scores on this thread, for models that no other thread can have. What goes in and out is copied as between threads. */
export function onThisThread (models: readonly ServedModel[], changes: Partial<Config> = {}): Scorer {
  const registry = new ModelRegistry<ServedModel>()
  return {
    start: async () => {
      registry.open(models, BACKEND)
      return { models, backend: BACKEND }
    },
    answer: async (task) => {
      const outcome = structuredClone(await answerRequest(registry, testConfig(changes), structuredClone(task)))
      if ('failure' in outcome) throw failureOf(outcome.failure)
      return outcome.answered
    },
    close: async () => {},
  }
}

/** One worker thread that has the models. */
export function inWorker (models: readonly FixtureModel[], changes: Partial<Config> = {}): WorkerPool {
  const file = join(mkdtempSync(join(tmpdir(), 'models-')), 'models.json')
  const plain = models.map(({ manifest, digest, goldenDifference, subspace: { mean, directions, ...sizes } }) =>
    ({ manifest, digest, goldenDifference, subspace: { ...sizes, mean: [...mean], directions: [...directions] } }))
  writeFileSync(file, JSON.stringify(plain))
  return new WorkerPool(testConfig({ computeWorkers: 1, modelsDir: file, ...changes }), new URL('./fixture-loader.ts', import.meta.url).href)
}

/** A silent app that serves the scorer's models; without any it never becomes ready. */
async function appWith (scorer: Scorer, models: readonly ServedModel[], changes: Partial<Config>): Promise<FastifyInstance> {
  const registry = new ModelRegistry()
  if (models.length > 0) {
    const loaded = await scorer.start(() => {})
    registry.open(loaded.models, loaded.backend)
  }
  return buildApp({ config: testConfig(changes), models: registry, scorer, logger: false })
}

/** Scores on the test's own thread: starts at once, and takes models that are not what they should be. */
export async function testApp (models: readonly ServedModel[], changes: Partial<Config> = {}): Promise<FastifyInstance> {
  return appWith(onThisThread(models, changes), models, changes)
}

/** Scores in a worker thread, as the service does. */
export async function threadedApp (models: readonly FixtureModel[], changes: Partial<Config> = {}): Promise<FastifyInstance> {
  return appWith(inWorker(models, changes), models, changes)
}

/** The JSON form of a series. */
export function jsonOf (series: Series): { start: string, step: string, channels: Record<string, Array<number | null>> } {
  return { start: new Date(series.start).toISOString(), step: 'PT10M', channels: columnsOf(series) }
}

export function columnsOf ({ channels, length, values }: Series): Record<string, Array<number | null>> {
  return Object.fromEntries(channels.map((name, c) => [name, Array.from({ length }, (_, t) => {
    const value = values[t * channels.length + c]!
    return Number.isNaN(value) ? null : value
  })]))
}

export const timesOf = ({ start, interval, length }: Series): string[] => Array.from({ length }, (_, t) => new Date(start + t * interval).toISOString())

/** The CSV form of a series. */
export function csvOf (series: Series): string {
  const columns = Object.values(columnsOf(series))
  return `${['timestamp', ...series.channels].join(',')}\n${timesOf(series).map((time, t) => [time, ...columns.map((column) => column[t] ?? '')].join(',')).join('\n')}\n`
}

/** A form with one part. */
export function formOf (text: string, field = 'file'): { payload: string, headers: { 'content-type': string } } {
  const payload = `--edge\r\nContent-Disposition: form-data; name="${field}"; filename="series.csv"\r\nContent-Type: text/csv\r\n\r\n${text}\r\n--edge--\r\n`
  return { payload, headers: { 'content-type': 'multipart/form-data; boundary=edge' } }
}
