// Real models and real apps for the tests: small linear detectors, fitted in memory on the simulated wind farm.
import { createHash } from 'node:crypto'
import { type FastifyInstance } from 'fastify'
import { FIT_DEFAULTS, fitDetector } from '../../core/fit.ts'
import { makeGolden, reproduceGolden } from '../../core/golden.ts'
import { ManifestSchema } from '../../core/manifest.ts'
import { createRandom } from '../../core/random.ts'
import { fromColumns, type Series } from '../../core/series.ts'
import { fitSubspace, subspaceReconstruct } from '../../core/subspace.ts'
import { type WindowMatrix } from '../../core/window.ts'
import { simulateFarm } from '../../core/wind-farm/simulate.ts'
import { buildApp } from '../app.ts'
import { type Config, readConfig } from '../config.ts'
import { ModelRegistry, type ServedModel } from '../models.ts'

const learn = (windows: WindowMatrix) => ({ reconstruct: subspaceReconstruct(fitSubspace(windows, 0.95)) })

async function fitModel (name: string, series: readonly Series[], windowLength: number, folds = 2): Promise<ServedModel> {
  const { model, autoencoder } = await fitDetector(series, { ...FIT_DEFAULTS, windowLength, maxWindows: 1000, folds }, learn)
  const manifest = ManifestSchema.parse({
    format: 1,
    name,
    version: '1',
    description: `Fitted for the tests: ${name}`,
    architecture: 'linear',
    detector: model,
    training: { tfjs: '4.22.0', backend: 'cpu', parameters: {}, dataSha256: sha256(series[0]!.values), series: series.length, observations: series[0]!.length },
  })
  const { reconstruct } = autoencoder
  const goldenDifference = reproduceGolden(model, reconstruct, makeGolden(model, reconstruct, series[0]!))
  return { manifest, digest: `sha256:${sha256(JSON.stringify(manifest))}`, goldenDifference, reconstruct }
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

/** The wind farm's model, as `wind-turbine`: what the documentation's examples are posted to. Its window is the pipeline's. */
export async function turbineModel (): Promise<ServedModel> {
  return fitModel('wind-turbine', simulateFarm({ turbines: 1, days: 60, trainingDays: 60 }).turbines.map(({ series }) => series), 8, 4)
}

export const testConfig = (changes: Partial<Config> = {}): Config => ({ ...readConfig({}), logLevel: 'silent', ...changes })

/** A silent app that serves the models; without any it never becomes ready. */
export async function testApp (models: readonly ServedModel[], changes: Partial<Config> = {}): Promise<FastifyInstance> {
  const registry = new ModelRegistry()
  if (models.length > 0) registry.open(models, { name: 'cpu', version: '4.22.0' })
  return buildApp({ config: testConfig(changes), models: registry, logger: false })
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
