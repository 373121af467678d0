// Series out of InfluxDB 2: Flux that no value of a flag can break out of, and its rows as they stream in.
import {
  flux,
  fluxDateTime,
  fluxDuration,
  fluxExpression,
  type ParameterizedQuery,
  type Row,
  toFluxValue,
} from '@influxdata/influxdb-client'
import { Problem } from '../../core/errors.ts'
import type { InfluxAccess } from '../../adapters/influx/access.ts'
import { influxProblem, openInflux, rowsOf } from '../../adapters/influx/client.ts'

/** How long the server may send nothing. Sorting a year of a plant takes it some seconds. */
const IDLE_MS = 120_000

/** What is asked for: the fields of a bucket that are numbers, between two times. */
export interface InfluxSelection {
  readonly bucket: string
  readonly start: string
  readonly stop: string
  readonly measurement?: string | undefined
  /** Milliseconds of which each observation is the mean; undefined: every point as it is. */
  readonly every?: number | undefined
  /** Tag that tells the series apart; undefined: all is one series. */
  readonly series?: string | undefined
  /** Tags and the values that they must have. */
  readonly tags: ReadonlyArray<readonly [tag: string, value: string]>
}

export interface InfluxRow {
  /** Value of the tag `series`. */
  readonly series: string
  /** As the server writes it, RFC 3339. */
  readonly time: string
  /** One for each field, NaN where it is missing. */
  readonly values: number[]
}

const piped = (parts: readonly ParameterizedQuery[]): string => parts.map(String).join('\n  |> ')

/** Points of the selection; numbers and switches alone. */
function points ({ bucket, start, stop, measurement, tags }: InfluxSelection): ParameterizedQuery[] {
  return [
    flux`from(bucket: ${bucket})`,
    flux`range(start: ${fluxDateTime(start)}, stop: ${fluxDateTime(stop)})`,
    ...(measurement === undefined ? [] : [flux`filter(fn: (r) => r["_measurement"] == ${measurement})`]),
    ...tags.map(([tag, value]) => flux`filter(fn: (r) => r[${tag}] == ${value})`),
    flux`filter(fn: (r) => ${
      fluxExpression(
        ['float', 'int', 'uint', 'bool'].map((type) => `types.isType(v: r["_value"], type: ${toFluxValue(type)})`).join(
          ' or '
        )
      )
    })`,
  ]
}

/** The names of all fields: every file has all of them, in this order. */
export function fieldsQuery (selection: InfluxSelection): string {
  const names = flux`keep(columns: ["_field"])`
  return `import "types"\n\n${
    piped([
      ...points(selection),
      flux`first()`,
      names,
      flux`group()`,
      flux`distinct(column: "_field")`,
      flux`sort(columns: ["_value"])`,
    ])
  }\n`
}

/** Rows of fields, series after series, in the order of time. */
export function rowsQuery (selection: InfluxSelection): string {
  const { every, series } = selection
  return `import "types"\n\n${
    piped([
      ...points(selection),
      flux`toFloat()`,
      ...(every === undefined
        ? []
        : [
          flux`aggregateWindow(every: ${fluxDuration(`${every}ms`)}, fn: mean, createEmpty: false, timeSrc: "_start")`,
        ]),
      flux`drop(columns: ["_start", "_stop"])`,
      flux`pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
      series === undefined ? flux`group()` : flux`group(columns: ${[series]})`,
      flux`sort(columns: ["_time"])`,
    ])
  }\n`
}

/** Opens a server for one selection. */
export class InfluxSource {
  readonly #access: InfluxAccess
  readonly #selection: InfluxSelection

  constructor (access: InfluxAccess, selection: InfluxSelection) {
    this.#access = access
    this.#selection = selection
  }

  /** @throws Problem no-training-data where there is nothing */
  async fields (): Promise<string[]> {
    const names: string[] = []
    for await (const { values, tableMeta } of this.#rows(fieldsQuery(this.#selection))) {
      names.push(values[tableMeta.column('_value').index]!)
    }
    if (names.length > 0) return names
    const { bucket, start, stop } = this.#selection
    throw new Problem(
      'no-training-data',
      `The bucket "${bucket}" has no numbers from ${start} to ${stop} that match; check --start, --stop, --measurement and --tag.`
    )
  }

  /** One row for each series and time: what several points of one time say of different fields is put together. */
  async * rows (fields: readonly string[]): AsyncGenerator<InfluxRow> {
    let last: InfluxRow | undefined
    for await (const row of this.#rows(rowsQuery(this.#selection))) {
      const next = this.#read(row, fields)
      if (last !== undefined && next.series === last.series && next.time === last.time) this.#merge(last, next, fields)
      else {
        if (last !== undefined) yield last
        last = next
      }
    }
    if (last !== undefined) yield last
  }

  #read ({ values, tableMeta }: Row, fields: readonly string[]): InfluxRow {
    const cell = (label: string): string => values[tableMeta.column(label, false).index] ?? ''
    const { series: tag, measurement, bucket } = this.#selection
    const series = tag === undefined ? measurement ?? bucket : cell(tag)
    if (series === '') {
      throw new Problem(
        'invalid-settings',
        `--series ${tag}: there are points without this tag; name one that all have, or leave the others out with --tag.`
      )
    }
    return { series, time: cell('_time'), values: fields.map((field) => toNumber(cell(field))) }
  }

  #merge (row: InfluxRow, { values }: InfluxRow, fields: readonly string[]): void {
    for (const [f, value] of values.entries()) {
      if (Number.isNaN(value)) continue
      if (!Number.isNaN(row.values[f]!)) {
        throw new Problem(
          'invalid-settings',
          `The series "${row.series}" has two values of "${
            fields[f]
          }" at ${row.time}; tell them apart with --series, or choose with --measurement or --tag.`
        )
      }
      row.values[f] = value
    }
  }

  async * #rows (query: string): AsyncGenerator<Row> {
    try {
      yield * rowsOf(openInflux(this.#access, IDLE_MS), this.#access.org, query)
    } catch (error) {
      throw influxProblem(error as Error, this.#access, {
        bucket: this.#selection.bucket,
        wants: 'read',
        refusal: 'invalid-settings',
        noBucket: (what) => `--bucket: ${what}.`,
      })
    }
  }
}

function toNumber (cell: string): number {
  const value = cell === '' ? NaN : Number(cell)
  return Number.isFinite(value) ? value : NaN
}
