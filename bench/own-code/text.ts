// Tables, times and saved numbers: `cells.ts`, `iso-time.ts`, `base64.ts`.
import { deepStrictEqual } from 'node:assert'
import { DateTime } from 'luxon'
import Papa from 'papaparse'
import { type Cells, parseCells } from '../../core/table/cells.ts'
import { readCells } from '../../core/table/csv.ts'
import { Detector } from '../../core/detector/detector.ts'
import { FIT_DEFAULTS, fitDetector } from '../../core/fitting/fit.ts'
import { readIsoTime } from '../../core/table/iso-time.ts'
import { learnerOf } from '../../core/fitting/members.ts'
import { createRandom } from '../../core/random.ts'
import { fromColumns } from '../../core/series/series.ts'
import { decodeFloat64, encodeNumbers } from '../../pipelines/steps/scorer/base64.ts'
import { encodeDetector } from '../../pipelines/steps/scorer/saved-detector.ts'
import { compare } from './compare.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 600_000
const timeAt = (t: number): string => new Date(START + t * STEP).toISOString().slice(0, 19) + 'Z'

/** As people send it: ISO times, and numbers of a few digits. */
function table (rows: number, channels: number): string {
  const random = createRandom('own-code')
  const header = ['time', ...Array.from({ length: channels }, (_, c) => `channel_${c + 1}`)].join(',')
  const cell = (t: number, c: number): string => (Math.sin(t / (7 + c)) + 0.3 * random.normal()).toFixed(4)
  const lines = Array.from({ length: rows }, (_, t) =>
    [timeAt(t), ...Array.from({ length: channels }, (_, c) => cell(t, c))].join(','))
  return [header, ...lines].join('\n') + '\n'
}

/** Cells by the library alone: what `cells.ts` does for tables with quotation marks. */
function papaCells (text: string): Cells {
  const { data } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' })
  const columns = Array.from({ length: data[0]!.length }, (_, c) => data.map((row) => (row[c] ?? '').trim()))
  return { columns, comment: undefined, row: { name: 'Line', first: 1 } }
}

export async function csv (): Promise<void> {
  for (const [rows, channels] of [[28_000, 1], [8640, 11]] as const) {
    const text = table(rows, channels)
    deepStrictEqual(parseCells(text).columns, papaCells(text).columns)
    const on = `${rows} × ${channels}`
    const variants = { 'cells.ts': () => parseCells(text), Papa: () => papaCells(text) }
    await compare({ title: `CSV → cells, ${on}`, variants })
    const tables = { 'cells.ts': () => readCells(parseCells(text)), Papa: () => readCells(papaCells(text)) }
    await compare({ title: `CSV → table, ${on}`, variants: tables })
  }
}

const UTC = { zone: 'utc' } as const
const SHAPE = /^(\d{4}-\d\d-(\d\d))(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/

/** The same shapes by a pattern and the language's own parser, and a look at the 29th to the 31st. */
function parsedTime (text: string): number | undefined {
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const [, date, day, minutes = '00:00', seconds = ':00', fraction = '', offset = 'Z'] = match
  // The language's own parser takes the 30th of February for the 2nd of March.
  if (Number(day) > 28 && new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return undefined
  const time = Date.parse(`${date}T${minutes}${seconds}${offset}`)
  return Number.isNaN(time) ? undefined : time + Math.floor(Number(`0.${fraction}`) * 1000)
}

export async function times (): Promise<void> {
  const shapes: Readonly<Record<string, readonly string[]>> = {
    '`…T13:50:00Z`': Array.from({ length: 28_000 }, (_, t) => timeAt(t)),
    '`…T13:50:00.123+01:00`': Array.from({ length: 28_000 }, (_, t) => `${timeAt(t).slice(0, 19)}.123+01:00`),
  }
  for (const [shape, texts] of Object.entries(shapes)) {
    const luxon = (text: string): number => DateTime.fromISO(text, UTC).toMillis()
    for (const read of [luxon, parsedTime, Date.parse]) deepStrictEqual(texts.map(readIsoTime), texts.map(read))
    const all = (read: (text: string) => number | undefined) => () => {
      let sum = 0
      for (const text of texts) sum += read(text)!
      return sum
    }
    const variants = {
      'iso-time.ts': all(readIsoTime),
      'pattern and Date.parse': all(parsedTime),
      'Date.parse alone': all(Date.parse),
      luxon: all(luxon),
    }
    await compare({ title: `28,000 times ${shape}`, variants })
  }
}

type Numbers = Float64Array | Float32Array | Uint8Array
const binaryOf = ({ buffer, byteOffset, byteLength }: Numbers): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength)))

const fromBinary = (text: string): Float64Array =>
  new Float64Array(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer)

/** What a detector of twelve channels and the default level remembers, and all that keeps it. */
export async function base64 (): Promise<void> {
  const random = createRandom('base64')
  const channels = 12
  const columns = Object.fromEntries(Array.from({ length: channels }, (_, c) =>
    [`c${c}`, Array.from({ length: 4000 }, (_, t) => Math.sin(t / (7 + c)) + 0.3 * random.normal())]))
  const series = fromColumns({ start: 0, interval: 1000, columns })
  const member = { windowLength: 16, tail: 8, learn: learnerOf('linear') }
  const { model, autoencoders } = await fitDetector([series], { ...FIT_DEFAULTS, maxWindows: 200, folds: 2 }, [member])
  const detector = new Detector(model, autoencoders)
  for (let t = 0; t < 4000; t++) {
    detector.observe({ time: 1000 * t, values: Float64Array.from(Object.values(columns), (column) => column[t]!) })
  }
  const { last, missingFor, errors, level } = detector.save()
  const arrays = [last, missingFor, errors, level]
  const texts = arrays.map(encodeNumbers)
  const kept = `a detector's state (${(texts.join('').length / 1024).toFixed(1)} kB)`
  deepStrictEqual(arrays.map(binaryOf), texts)
  deepStrictEqual(texts.map(fromBinary), arrays)
  const writing = { 'base64.ts': () => arrays.map(encodeNumbers), btoa: () => arrays.map(binaryOf) }
  await compare({ title: `numbers → base64, ${kept}`, times: 100, variants: writing })
  const reading = { 'base64.ts': () => texts.map(decodeFloat64), atob: () => texts.map(fromBinary) }
  await compare({ title: `base64 → numbers, ${kept}`, times: 100, variants: reading })
  const saved = encodeDetector(detector.save())
  const saving = {
    'saved-detector.ts': () => JSON.stringify(encodeDetector(detector.save())),
    'JSON alone': () => JSON.stringify(saved),
  }
  await compare({ title: 'a detector\'s state → JSON', times: 100, variants: saving })
}
