// The CSV form of a request → input: a table with or without a timestamp column. The options are in the query.
import { checkChannels } from '../../../core/table/channels.ts'
import { withoutComments } from '../../../core/table/cells.ts'
import { keepChannels, NUMBERED_STEP, readTable, type Table } from '../../../core/table/csv.ts'
import { pointer, Problem } from '../../../core/errors.ts'
import { countMissing, resample } from '../../../core/series/resample.ts'
import type { ComputeQuery, OptionsRequest } from '../../schemas/compute.ts'
import { checkLength, maxObservations, type ComputeInput, type PostedSeries, type WantedSeries } from './input.ts'
import { readOptions, type ComputeOptions } from './options.ts'

/** Most columns of a table. Each one is searched for times and numbers: a line of separators must not take minutes. */
export const MAX_COLUMNS = 1100

/**
 * @param maxValues a table with more lines is not parsed
 * @throws Problem invalid-table, invalid-timestamp, invalid-value, series-too-long or invalid-request
 */
export function inputFromTable (text: string, query: ComputeQuery, maxValues: number): ComputeInput {
  const options = readOptions(optionsOf(query), { timestamps: 'repair' }, ['query'])
  checkSize(text, maxValues)
  const { delimiter, decimal, timestampColumn, timestampFormat } = query
  return inputOfTable(
    readTable(text, { delimiter, decimal, timestampColumn, timestampFormat, mayBeNumbered: true }),
    query.model,
    options
  )
}

export function inputOfTable (table: Table, model: string | undefined, options: ComputeOptions): ComputeInput {
  const numbered = table.numbered === true
  return {
    model,
    channels: table.channels,
    timestamped: !numbered,
    numbered,
    options,
    toSeries: (wanted, most) => toSeries(table, wanted, options, most),
  }
}

/** The options in the form of JSON requests. */
function optionsOf ({ fitRows, fitUntil, falseAlarmsPerDay, sensitivity, ...options }: ComputeQuery): OptionsRequest {
  return {
    ...options,
    ...(fitRows !== undefined && { fit: { rows: fitRows } }),
    ...(fitUntil !== undefined && { fit: { until: fitUntil } }),
    ...(falseAlarmsPerDay !== undefined && { threshold: { falseAlarmsPerDay } }),
    ...(sensitivity !== undefined && { threshold: { sensitivity } }),
  }
}

/**
 * Bounds columns, lines and quotation marks: a file of only quotation marks or line ends would keep the parser busy
 * for half a minute.
 * @throws Problem invalid-table or series-too-long
 */
export function checkSize (text: string, maxValues: number): void {
  const { table } = withoutComments(text)
  const end = table.search(/[\r\n]/)
  const line = (end < 0 ? table : table.slice(0, end)).trim()
  const columns = Math.max(
    ...[',', ';', '\t', '|', /\s+/].map((separator) => line.split(separator, MAX_COLUMNS + 1).length)
  )
  if (columns > MAX_COLUMNS) {
    throw new Problem(
      'invalid-table',
      `The first line has more than ${MAX_COLUMNS} columns; send the timestamps and the channels only.`
    )
  }
  const lines = maxValues + 1
  if (
    count(text, '\n', lines) >= lines || count(text, '\r', lines) >= lines || count(text, '"', 4 * lines) >= 4 * lines
  ) {
    throw new Problem(
      'series-too-long',
      `At most ${maxValues} values are scored in one request; the table has more lines or quotation marks than they ` +
        'can need. Send the series in parts.',
      { extensions: { limit: maxValues } }
    )
  }
}

function count (text: string, character: string, most: number): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0 && found < most; at = text.indexOf(character, at + 1)) found++
  return found
}

function toSeries (table: Table, wanted: WantedSeries, options: ComputeOptions, maxValues: number): PostedSeries {
  const hint = table.textColumns.length === 0
    ? ''
    : ` Columns left out because they contain text: ${table.textColumns.slice(0, 10).join(', ')}.`
  checkChannels(table.channels, wanted.channels, (channel) => pointer(channel), hint)
  checkLength(wanted, table.timestamps.length, maxValues)
  const kept = keepChannels(table, wanted.channels)
  if (table.numbered === true) return numberedSeries(kept, wanted.interval ?? NUMBERED_STEP)
  return resample(kept, {
    interval: wanted.interval,
    order: options.timestamps,
    maxObservations: maxObservations(wanted, maxValues),
  })
}

/** Rows without times are observations at equal distances: there is nothing to sort, merge or fill in. */
function numberedSeries ({ channels, values, timestamps }: Table, interval: number): PostedSeries {
  return {
    series: { channels, start: 0, interval, length: timestamps.length, values },
    quality: channels.map((_, c) => ({
      missing: countMissing(values, channels.length, c),
      duplicates: 0,
      outOfOrder: 0,
    })),
  }
}
