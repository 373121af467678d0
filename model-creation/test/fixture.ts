// A small plant for the pipeline's tests: two series of three channels, with one planted fault and the flaws of real
// exports.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom } from '../../core/random.ts'
import { type BackendName } from '../../adapters/tfjs/backend.ts'
import { type Params, parseParams } from '../settings/params.ts'
import { type PipelinePaths } from '../settings/paths.ts'
import { type Progress } from '../stages/progress.ts'

// The tests must not record their trainings on a server.
delete process.env['MLFLOW_TRACKING_URI']

export const ROWS = 600
export const INTERVAL = 600_000
export const START = Date.UTC(2026, 0, 1)
export const CHANNELS = ['speed_ms', 'power_kw', 'oil_c'] as const

/** Rows of the fault: A's oil is 6 degrees too warm. */
export const FAULT = { from: 500, to: 529 } as const

/** The flaws of A.csv, by row; B.csv has none. */
export const FLAWS = { absent: [50, 51], emptyOil: [70, 71, 72], duplicate: 100, late: 120 } as const

export const timeAt = (row: number): string => new Date(START + row * INTERVAL).toISOString().replace('.000Z', 'Z')

export const TRAIN_UNTIL = timeAt(400)

export const LABELS = `turbine,fault,channel,start,end\nA,overheating,oil_c,${timeAt(FAULT.from)},${timeAt(FAULT.to)}\n`

/** A format of the same table. */
interface Dialect {
  readonly header: readonly string[]
  readonly delimiter: string
  readonly time: (row: number) => string
  readonly number: (value: number) => string
}

const PLAIN: Dialect = { header: ['time', ...CHANNELS], delimiter: ',', time: timeAt, number: String }

/** Semicolons, decimal commas, and dates that start with the day. */
export const GERMAN: Dialect = {
  header: ['Zeit', ...CHANNELS],
  delimiter: ';',
  time: (row) => timeAt(row).replace(/^(\d+)-(\d+)-(\d+)T(\d+:\d+).*$/, '$3.$2.$1 $4'),
  number: (value) => String(value).replace('.', ','),
}

/** The table of series A or B as text. */
export function tableText (name: 'A' | 'B', dialect: Dialect = PLAIN): string {
  const random = createRandom(`fixture/${name}`)
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const wind = 8 + 3 * Math.sin(row / 11) + 2 * Math.cos(row / 37) + 0.3 * random.normal()
    const fault = name === 'A' && row >= FAULT.from && row <= FAULT.to ? 6 : 0
    const values = [wind, 20 * wind + 2 * random.normal(), 40 + 1.5 * wind + 0.2 * random.normal() + fault]
    return [dialect.time(row), ...values.map((value) => dialect.number(Number(value.toFixed(2))))]
  })
  if (name === 'A') spoil(rows)
  return [dialect.header, ...rows].map((cells) => cells.join(dialect.delimiter)).join('\n') + '\n'
}

function spoil (rows: string[][]): void {
  for (const row of FLAWS.emptyOil) rows[row]![3] = ''
  const [late, next] = [rows[FLAWS.late]!, rows[FLAWS.late + 1]!]
  rows[FLAWS.late] = next
  rows[FLAWS.late + 1] = late
  rows.splice(FLAWS.duplicate, 0, [...rows[FLAWS.duplicate]!])
  rows.splice(FLAWS.absent[0], FLAWS.absent.length)
}

/** Writes A.csv and B.csv into the folder, and labels.csv beside it. */
export async function writePlant (folder: string, dialect: Dialect = PLAIN): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of ['A', 'B'] as const) await writeFile(join(folder, `${name}.csv`), tableText(name, dialect))
  await writeFile(join(folder, '..', 'labels.csv'), LABELS)
}

/** Parameters for a small plant. */
export const PARAMS = {
  prepare: { trainUntil: TRAIN_UNTIL },
  train: {
    architecture: 'linear',
    windowLength: 6,
    folds: 2,
    sheetValues: 20_000,
    causal: { smoothing: 5, factor: 1.3 },
    batch: { smoothing: 7, factor: 1.3 },
    architectures: {
      residual: { hidden: 6, code: 2, steps: 12, batch: 32 },
      convolutional: { filters: 3, kernel: 3, code: 2, steps: 8, batch: 32 },
    },
  },
  evaluate: { tolerance: 'PT1H' },
  package: { name: 'plant', goldenLength: 60 },
}

/** PARAMS with changed keys; trains on TFJS_BACKEND, if that is set. */
export function plantParams (changes: Partial<Record<keyof Params, Record<string, unknown>>> = {}): Params {
  const chosen = process.env['TFJS_BACKEND'] ?? 'auto'
  const backend: BackendName = chosen === 'auto' ? 'wasm' : chosen as BackendName
  return parseParams({
    prepare: { ...PARAMS.prepare, ...changes.prepare },
    train: { ...PARAMS.train, backend, ...changes.train },
    evaluate: { ...PARAMS.evaluate, ...changes.evaluate },
    package: { ...PARAMS.package, ...changes.package },
  }, 'the test')
}

/** Paths for a pipeline over `raw` that writes into `out`. */
export function plantPaths (raw: string, out: string, labels?: string, feedback?: string): PipelinePaths {
  return {
    raw,
    labels,
    feedback,
    prepared: join(out, 'prepared'),
    model: join(out, 'model'),
    reports: join(out, 'reports'),
    package: join(out, 'package'),
  }
}

/** Progress that records its lines. */
export function recordingProgress (): Progress & { readonly lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    stage: (name) => { lines.push(name) },
    message: (text) => { lines.push(text) },
    step: (done, total, detail) => { lines.push(`${done}/${total} ${detail}`) },
    close () {},
  }
}
