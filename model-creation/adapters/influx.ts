// Reads series from InfluxDB 2: builds Flux that is safe from injection by flags, and streams its rows.
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

/** How long the server may stay silent: sorting a plant's data of one year takes some seconds. */
const IDLE_MS = 120_000

/** The data to read: the numeric fields of a bucket, between two times. */
export interface InfluxSelection {
  readonly bucket: string
  readonly start: string
  readonly stop: string
  readonly measurement?: string | undefined
  /** Each observation is the mean over so many milliseconds; undefined: every point is one observation. */
  readonly every?: number | undefined
  /** The tag that identifies a series; undefined: everything is one series. */
  readonly series?: string | undefined
  /** Tags with their required values. */
  readonly tags: ReadonlyArray<readonly [tag: string, value: string]>
}

export interface InfluxRow {
  /** Value of the tag `series`. */
  readonly series: string
  /** RFC 3339, in the server's format. */
  readonly time: string
  /** One value for each field; NaN if it is missing. */
  readonly values: number[]
}

const piped = (parts: readonly ParameterizedQuery[]): string => parts.map(String).join('\n  |> ')

/** The points of the selection; only numbers and booleans. */
function points ({ bucket, start, stop, measurement, tags }: InfluxSelection): ParameterizedQuery[] {
  const isNumeric = ['float', 'int', 'uint', 'bool'].map((type) =>
    `types.isType(v: r["_value"], type: ${toFluxValue(type)})`
  )
  return [
    flux`from(bucket: ${bucket})`,
    flux`range(start: ${fluxDateTime(start)}, stop: ${fluxDateTime(stop)})`,
    ...(measurement === undefined ? [] : [flux`filter(fn: (r) => r["_measurement"] == ${measurement})`]),
    ...tags.map(([tag, value]) => flux`filter(fn: (r) => r[${tag}] == ${value})`),
    flux`filter(fn: (r) => ${fluxExpression(isNumeric.join(' or '))})`,
  ]
}

const queryOf = (parts: readonly ParameterizedQuery[]): string => `import "types"\n\n${piped(parts)}\n`

/** Asks for the names of all fields: every file has all of them, in this order. */
export function fieldsQuery (selection: InfluxSelection): string {
  return queryOf([
    ...points(selection),
    flux`first()`,
    flux`keep(columns: ["_field"])`,
    flux`group()`,
    flux`distinct(column: "_field")`,
    flux`sort(columns: ["_value"])`,
  ])
}

/** Asks for rows of fields, series after series, oldest first. */
export function rowsQuery (selection: InfluxSelection): string {
  const { every, series } = selection
  const means = every === undefined
    ? []
    : [flux`aggregateWindow(every: ${fluxDuration(`${every}ms`)}, fn: mean, createEmpty: false, timeSrc: "_start")`]
  return queryOf([
    ...points(selection),
    flux`toFloat()`,
    ...means,
    flux`drop(columns: ["_start", "_stop"])`,
    flux`pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
    series === undefined ? flux`group()` : flux`group(columns: ${[series]})`,
    flux`sort(columns: ["_time"])`,
  ])
}

/** Reads one selection from a server. */
export class InfluxSource {
  readonly #access: InfluxAccess
  readonly #selection: InfluxSelection

  constructor (access: InfluxAccess, selection: InfluxSelection) {
    this.#access = access
    this.#selection = selection
  }

  /** The names of all fields. @throws Problem no-training-data if there are none */
  async fields (): Promise<string[]> {
    const names: string[] = []
    for await (const { values, tableMeta } of this.#rows(fieldsQuery(this.#selection))) {
      names.push(values[tableMeta.column('_value').index]!)
    }
    if (names.length > 0) return names
    const { bucket, start, stop } = this.#selection
    throw new Problem(
      'no-training-data',
      `The bucket "${bucket}" has no numbers from ${start} to ${stop} that match; ` +
        'check --start, --stop, --measurement and --tag.'
    )
  }

  /** One row for each series and time: points of the same time with different fields are merged. */
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
        `--series ${tag}: there are points without this tag; name one that all have, or exclude the others with --tag.`
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
          `The series "${row.series}" has two values of "${fields[f]}" at ${row.time}; ` +
            'tell them apart with --series, or choose with --measurement or --tag.'
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
