// The JSON form of a request → input. Values are checked here and not by the schema: millions of wrong values cost one
// pass and give a short answer.
import { checkChannels } from '../../../core/table/channels.ts'
import { formatDuration, parseDuration } from '../../../core/table/duration.ts'
import { pointer, Problem, type ProblemCode, type ProblemItem } from '../../../core/errors.ts'
import { countMissing, resample } from '../../../core/series/resample.ts'
import type { ComputeRequest } from '../../schemas/compute.ts'
import { checkLength, maxObservations, type ComputeInput, type PostedSeries, type WantedSeries } from './input.ts'
import { readOptions } from './options.ts'
import { parseInstant } from './times.ts'

/** Wrong values in the answer: the first ones show what is wrong with the rest. */
const MAX_ITEMS = 10

/**
 * @param numbered whether start and step are made up: the step of the model then replaces this one
 * @throws Problem invalid-request
 */
export function inputFromJson (request: ComputeRequest, numbered = false): ComputeInput {
  return {
    model: request.model,
    channels: Object.keys(request.channels),
    timestamped: request.timestamps !== undefined,
    numbered,
    options: readOptions(request.options ?? {}, { timestamps: 'strict' }, ['options']),
    toSeries: (wanted, maxValues) =>
      toSeries(
        numbered && wanted.interval !== undefined ? { ...request, step: formatDuration(wanted.interval) } : request,
        wanted,
        maxValues
      ),
  }
}

function toSeries (request: ComputeRequest, wanted: WantedSeries, maxValues: number): PostedSeries {
  const columns = readColumns(request)
  checkChannels([...columns.keys()], wanted.channels)
  const length = commonLength(request, columns)
  checkLength(wanted, length, maxValues)
  const values = readValues(wanted.channels, columns, length)
  if (request.timestamps === undefined) return regularSeries(request, wanted, length, values)
  const table = { channels: wanted.channels, timestamps: readTimestamps(request.timestamps), values, textColumns: [] }
  const order = request.options?.timestamps ?? 'strict'
  return resample(table, { interval: wanted.interval, order, maxObservations: maxObservations(wanted, maxValues) })
}

/** A Map, because a channel may be called `__proto__` or `constructor`. */
function readColumns ({ channels }: ComputeRequest): Map<string, readonly unknown[]> {
  return new Map(
    Object.entries(channels).map(([name, column]) => {
      if (Array.isArray(column)) return [name, column]
      throw new Problem(
        'invalid-request',
        `Channel "${name.slice(0, 60)}" is not an array; send one number or null for each observation.`,
        {
          items: [{
            pointer: pointer('channels', name),
            detail: 'not an array',
            got: column,
            want: 'array of numbers and null',
          }],
        }
      )
    })
  )
}

function commonLength ({ timestamps }: ComputeRequest, columns: ReadonlyMap<string, readonly unknown[]>): number {
  const lengths = new Map([...columns].map(([name, column]) => [pointer('channels', name), column.length]))
  if (timestamps !== undefined) lengths.set('/timestamps', timestamps.length)
  const all = [...lengths.values()]
  const usual = all.sort((a, b) => a - b)[all.length >> 1] ?? 0
  const others = [...lengths].filter(([, length]) => length !== usual)
  if (others.length === 0) return usual
  throw new Problem(
    'channel-length-mismatch',
    `Not all lists have ${usual} entries: ${others.slice(0, 5).map(([at, got]) => `${at} has ${got}`).join(', ')}. ` +
      'All channels, and timestamps if you send them, need the same number; put null where a value is missing.',
    { items: others.map(([at, got]) => ({ pointer: at, detail: `${got} entries`, got, want: usual })) }
  )
}

function readValues (
  channels: readonly string[],
  columns: ReadonlyMap<string, readonly unknown[]>,
  length: number
): Float64Array {
  const values = new Float64Array(length * channels.length)
  const wrong: ProblemItem[] = []
  channels.forEach((name, c) => {
    const column = columns.get(name)!
    for (let t = 0; t < length && wrong.length < MAX_ITEMS; t++) {
      const value = column[t]
      // JSON.parse reads 1e999 as Infinity.
      if (typeof value === 'number' && Number.isFinite(value)) values[t * channels.length + c] = value
      else if (value === null) values[t * channels.length + c] = NaN
      else {
        wrong.push({
          pointer: pointer('channels', name, t),
          detail: 'not a finite number',
          got: value,
          want: 'number or null',
        })
      }
    }
  })
  throwIfAny('invalid-value', wrong, 'values', 'Send a finite number, or null where the value is missing.')
  return values
}

function readTimestamps (texts: readonly unknown[]): Float64Array {
  const times = new Float64Array(texts.length)
  const wrong: ProblemItem[] = []
  for (let t = 0; t < texts.length && wrong.length < MAX_ITEMS; t++) {
    const text = texts[t]
    times[t] = typeof text === 'string' ? parseInstant(text) : NaN
    if (Number.isNaN(times[t])) {
      wrong.push({
        pointer: pointer('timestamps', t),
        detail: 'not an RFC 3339 time',
        got: text,
        want: '2026-01-31T13:50:00Z',
      })
    }
  }
  throwIfAny('invalid-timestamp', wrong, 'timestamps', 'Write times as 2026-01-31T13:50:00Z or with an offset.')
  return times
}

function throwIfAny (code: ProblemCode, items: readonly ProblemItem[], what: string, remedy: string): void {
  if (items.length === 0) return
  const many = items.length === MAX_ITEMS ? 'or more ' : ''
  throw new Problem(
    code,
    `${items.length} ${many}of the ${what} cannot be used, the first at ${items[0]!.pointer}. ${remedy}`,
    { items }
  )
}

function regularSeries (
  request: ComputeRequest,
  wanted: WantedSeries,
  length: number,
  values: Float64Array
): PostedSeries {
  const step = parseDuration(request.step!, '/step')
  if (wanted.interval !== undefined && step !== wanted.interval) {
    const [got, want] = [formatDuration(step), formatDuration(wanted.interval)]
    throw new Problem(
      'interval-mismatch',
      `The step is ${got}, but the model needs ${want}; resample the series to ${want}, or use a model for ${got}.`,
      {
        items: [{ pointer: '/step', detail: "not the model's sampling interval", got, want }],
        extensions: { got, want },
      }
    )
  }
  const start = parseInstant(request.start!)
  if (Number.isNaN(start)) {
    throw new Problem(
      'invalid-timestamp',
      `"${request.start!.slice(0, 60)}" is not an RFC 3339 time; write the start as 2026-01-31T13:50:00Z or with an ` +
        'offset.',
      {
        items: [{
          pointer: '/start',
          detail: 'not an RFC 3339 time',
          got: request.start,
          want: '2026-01-31T13:50:00Z',
        }],
      }
    )
  }
  return {
    series: { channels: wanted.channels, start, interval: step, length, values },
    quality: wanted.channels.map((_, c) => ({
      missing: countMissing(values, wanted.channels.length, c),
      duplicates: 0,
      outOfOrder: 0,
    })),
  }
}
