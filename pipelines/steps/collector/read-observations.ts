// The body of a request → observations, all or none: JSON, one JSON document per line, or a table as CSV.
import { type Cells, parseCells } from '../../../core/table/cells.ts'
import { readCells, type Table } from '../../../core/table/csv.ts'
import { pointer, Problem } from '../../../core/errors.ts'
import { type RawObservation, RawObservationSchema } from '../../messages/messages.ts'
import { QUICK_CHECKS } from '../../messages/quick-checks.ts'
import { explainFault } from '../../../adapters/settings/schema-faults.ts'

export const MEDIA_TYPES = ['application/json', 'application/x-ndjson', 'text/csv'] as const
export type MediaType = typeof MEDIA_TYPES[number]

const isObservation = QUICK_CHECKS['observation.raw.v1']! as (value: unknown) => value is RawObservation

/**
 * @param series the series of a table without such a column
 * @throws Problem malformed-body, invalid-request, invalid-table, invalid-timestamp or invalid-value, which names the
 * first wrong place
 */
export function readObservations (body: string, type: MediaType, series: string | undefined): RawObservation[] {
  const observations = READERS[type](body, series)
  if (observations.length === 0) {
    throw new Problem('invalid-request', 'The body holds no observation; send at least one.')
  }
  return observations
}

const READERS: Readonly<Record<MediaType, (body: string, series: string | undefined) => RawObservation[]>> = {
  'application/json': readJson,
  'application/x-ndjson': readLines,
  'text/csv': readCsv,
}

function readJson (body: string): RawObservation[] {
  const json = parse(
    body,
    (message) => new Problem('malformed-body', `The body is no JSON: ${message}; null is a missing value.`)
  )
  if (Array.isArray(json)) return json.map((item, i) => checked(item, [i], `Observation ${i}`))
  if (typeof json === 'object' && json !== null && 'observations' in json) return ofOneSeries(json)
  return [checked(json, [], 'The observation')]
}

/** `{series, observations: [{time, values}]}`: all observations belong to one series. */
function ofOneSeries (
  { series, observations, ...rest }: { series?: unknown, observations: unknown }
): RawObservation[] {
  const more = Object.keys(rest)[0]
  if (more !== undefined) {
    throw invalid([more], `"${more}" is no member of {series, observations}; leave it out.`, undefined)
  }
  if (!Array.isArray(observations)) {
    throw invalid(['observations'], '"observations" must be a list of {time, values}.', observations)
  }
  return observations.map((item: unknown, i) => {
    const whole = typeof item === 'object' && item !== null && !Array.isArray(item) ? { series, ...item } : item
    return checked(whole, ['observations', i], `Observation ${i}`)
  })
}

function readLines (body: string): RawObservation[] {
  const observations: RawObservation[] = []
  body.split('\n').forEach((line, i) => {
    if (line.trim() === '') return
    const json = parse(
      line,
      (message) => invalid([i], `Line ${i + 1} is no JSON: ${message}; send one document a line.`, undefined)
    )
    observations.push(checked(json, [i], `Line ${i + 1}`))
  })
  return observations
}

function parse (text: string, problem: (message: string) => Problem): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw problem((error as Error).message.split('\n', 1)[0]!.slice(0, 200))
  }
}

/** @param name of the observation, for messages */
function checked (value: unknown, place: readonly PropertyKey[], name: string): RawObservation {
  if (isObservation(value)) return value
  const result = RawObservationSchema.safeParse(value, { error: explainFault })
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  const got = path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], value)
  const where = [name, ...path.length === 0 ? [] : [path.map(String).join('.')]].join(', ')
  throw invalid([...place, ...path], `${where}: ${message}. ${REMEDY[String(path[0])] ?? REMEDY['']!}`, got)
}

const REMEDY: Readonly<Record<string, string>> = {
  series: 'Send the name of the series, of 1 to 200 characters.',
  time: 'Send a time with its offset, such as "2026-01-31T13:50:00Z".',
  values: 'Send {channel: number}, and null where a value is missing.',
  '': 'Send {series, time, values}.',
}

function invalid (place: readonly PropertyKey[], detail: string, got: unknown): Problem {
  const shown = typeof got === 'object' && got !== null ? undefined : got
  return new Problem('invalid-request', detail, {
    items: [{ pointer: pointer(...place), detail, ...(shown !== undefined && { got: shown }) }],
  })
}

/** A column `series`, unless the request names the series; a column of times; all others are channels. */
function readCsv (body: string, series: string | undefined): RawObservation[] {
  const cells = parseCells(body)
  const at = cells.columns.findIndex(([name]) => name?.toLowerCase() === 'series')
  const names = at < 0 ? undefined : cells.columns[at]!.slice(1)
  if (names === undefined && (series === undefined || series === '')) {
    throw new Problem(
      'invalid-request',
      'The table has no column "series"; add one, or name the series in the query as ?series=T03.'
    )
  }
  const { first } = cells.row
  const wrong = names?.findIndex((name) => name === '' || name.length > 200) ?? -1
  if (wrong >= 0) {
    throw invalid(
      [first + wrong + 1, 'series'],
      `Line ${first + wrong + 1}, series: ${REMEDY['series']!}`,
      names![wrong]
    )
  }
  const table = readCells(without(cells, at), { hasOptions: false })
  return rowsOf(table, (row) => names?.[row] ?? series!)
}

const without = ({ columns, ...cells }: Cells, at: number): Cells => ({
  ...cells,
  columns: columns.filter((_, column) => column !== at),
})

function rowsOf (
  { channels, timestamps, values, textColumns }: Table,
  seriesOf: (row: number) => string
): RawObservation[] {
  if (textColumns.length > 0) {
    throw new Problem(
      'invalid-value',
      `Column "${textColumns[0]}" holds text; a channel holds numbers, and an empty cell is a missing value. ` +
        'Leave the column out.'
    )
  }
  const long = channels.find((name) => name.length > 200)
  if (long !== undefined) {
    throw new Problem(
      'invalid-request',
      `The name of column "${long.slice(0, 40)}…" is too long; name channels in 1 to 200 characters.`
    )
  }
  return Array.from(timestamps, (time, row) => {
    const byChannel: Record<string, number | null> = {}
    channels.forEach((channel, c) => {
      const value = values[row * channels.length + c]!
      byChannel[channel] = Number.isNaN(value) ? null : value
    })
    return { series: seriesOf(row), time: new Date(time).toISOString(), values: byChannel }
  })
}
