// Records a training as a run on a tracking server: parameters, metrics of each epoch and final metrics, reports, plots
// and the package.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Metric, type TrackedRun, type TrackingServer } from '../adapters/mlflow.ts'
import { type Params } from '../settings/params.ts'

/**
 * Runs `work` within a run of the server, which ends as FINISHED, or as FAILED if `work` throws. Without a server,
 * nothing is recorded.
 * @throws Problem server-unavailable before `work` starts, if the server cannot be reached
 */
export async function tracked<T> (
  server: TrackingServer | undefined,
  { package: { name, version } }: Params,
  work: (run: TrackedRun | undefined) => Promise<T>
): Promise<T> {
  if (server === undefined) return work(undefined)
  const run = await server.startRun(await server.experiment(name), `${name} ${version}`, {
    'mlflow.source.name': 'model-creation/stages/package.ts',
    'mlflow.source.type': 'LOCAL',
    'model.name': name,
    'model.version': version,
  })
  try {
    const result = await work(run)
    await run.end('FINISHED')
    return result
  } catch (error) {
    // Report the first error, even if the server cannot be reached now.
    await run.end('FAILED').catch(() => {})
    throw error
  }
}

interface Recorded {
  readonly params: Params
  /** Folder of data quality, metrics and plots. */
  readonly reports: string
  /** Folder of the package; may still be a temporary one. */
  readonly package: string
  readonly digest: string
  readonly dataSha256: string
}

export async function record (run: TrackedRun, recorded: Recorded): Promise<void> {
  await run.setTags({ 'model.digest': recorded.digest, 'data.sha256': recorded.dataSha256 })
  await run.logParams(flatParams(recorded.params))
  await run.logMetrics(epochMetrics(await readReport(recorded.reports, 'learning-curve.json') as EpochRow[]))
  await run.logMetrics(finalMetrics(await readReport(recorded.reports, 'metrics.json')))
  for (const [from, to] of [[recorded.reports, 'reports'], [recorded.package, 'model']] as const) {
    for (const entry of await readdir(from, { withFileTypes: true })) {
      if (entry.isFile()) {
        await run.upload(`${to}/${entry.name}`, Uint8Array.from(await readFile(join(from, entry.name))))
      }
    }
  }
}

async function readReport (reports: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(reports, name), 'utf8'))
}

/** A name that MLflow accepts: letters, digits and a few signs; a slash would make a folder. */
const keyOf = (path: readonly string[]): string =>
  path.map((part) => part.replaceAll(/[^\p{L}\p{N}_. -]/gu, '_')).join('.').slice(0, 250)

type Leaf = readonly [path: readonly string[], value: unknown]

/** All values that are not objects, with their paths; a list is a value. */
function leaves (value: unknown, path: readonly string[] = []): Leaf[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))
}

/**
 * @example
 * flatParams({ train: { seed: 1, members: ['a'] } }) // { 'train.seed': '1', 'train.members': '["a"]' }
 */
export function flatParams (params: object): Record<string, string> {
  return Object.fromEntries(
    leaves(params).map(([path, value]) => [keyOf(path), typeof value === 'string' ? value : JSON.stringify(value)])
  )
}

/** Every number of the metrics; leaves out what could not be measured (`null`). */
export function finalMetrics (metrics: unknown): Metric[] {
  return leaves(metrics).flatMap(([path, value]) =>
    typeof value === 'number' && Number.isFinite(value) ? [{ key: keyOf(path), value, step: 0 }] : []
  )
}

type EpochRow = Readonly<Record<string, number>>

/** The curve of each member over the epochs, e.g. `training.member-1.loss`. */
export function epochMetrics (rows: readonly EpochRow[]): Metric[] {
  return rows.flatMap(({ member = 1, epoch = 0, ...values }) =>
    Object.entries(values).map(([key, value]) => ({
      key: keyOf(['training', `member-${member}`, key]),
      value,
      step: epoch,
    }))
  )
}
