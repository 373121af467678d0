// Files of unknown kind: every encoding and shape on one screen, what comes out beside what goes in; and what is
// refused, with a reason.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { Problem } from '../../core/errors.ts'
import { answerRequest } from '../compute/answer-request.ts'
import { inputFromFile } from '../compute/read/read-file.ts'
import { ComputeAnswerSchema } from '../schemas/compute.ts'
import {
  columnsOf,
  csvOf,
  jsonOf,
  residentModels,
  smallModel,
  testApp,
  testConfig,
  timesOf,
  windSeries,
} from './fixture.ts'

const LIMITS = { maxBytes: 33_554_432, maxValues: 1_000_000 }
const bytes = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content

type Read = Record<string, Array<number | null>> & { start?: string, step?: number, numbered?: boolean }

/** The series that an ad-hoc model gets, as columns; times where they were in the file. */
function read (content: string | Uint8Array, interval?: number): Read {
  const input = inputFromFile(bytes(content), LIMITS)
  const { series } = input.toSeries({ channels: input.channels, interval, least: 1, because: '' }, LIMITS.maxValues)
  return {
    ...columnsOf(series),
    ...(input.numbered
      ? { numbered: true }
      : { start: new Date(series.start).toISOString().slice(0, 16), step: series.interval }),
  } as unknown as Read
}

function refused (content: string | Uint8Array, limits = LIMITS): { code: string, message: string } {
  try {
    const input = inputFromFile(bytes(content), limits)
    input.toSeries({ channels: input.channels, interval: undefined, least: 1, because: '' }, limits.maxValues)
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, message: error.message }
    throw error
  }
  return { code: 'none', message: '' }
}

const numbered = (columns: Record<string, Array<number | null>>) => ({ ...columns, numbered: true })
const timed = (columns: Record<string, Array<number | null>>) => ({
  ...columns,
  start: '2026-01-31T00:00',
  step: 60_000,
})
const utf16 = (text: string, bigEndian = false): Buffer =>
  bigEndian ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le')

const table = 'time,Größe\n2026-01-31T00:00:00Z,1.5\n2026-01-31T00:01:00Z,2.5\n'
const ENCODINGS: Record<string, Uint8Array> = {
  'UTF-8': bytes(table),
  'UTF-8 with a mark': bytes(`\uFEFF${table}`),
  'UTF-16 LE with a mark': utf16(`\uFEFF${table}`),
  'UTF-16 BE with a mark': utf16(`\uFEFF${table}`, true),
  'UTF-16 LE without': utf16(table),
  'UTF-16 BE without': utf16(table, true),
  'Windows-1252': Buffer.from(table, 'latin1'),
  gzip: gzipSync(table),
  'gzip of UTF-16': gzipSync(utf16(table)),
  'gzip in two parts': Buffer.concat([gzipSync(table.slice(0, 20)), gzipSync(table.slice(20))]),
}
for (const [name, content] of Object.entries(ENCODINGS)) {
  t.test(`encoding: ${name}`, async (t) => { t.same(read(content), timed({ Größe: [1.5, 2.5] })) })
}

/** [file, columns]; without times. */
const NUMBERED: Record<string, [string, Record<string, Array<number | null>>]> = {
  'one number a line': ['1.5\n2.5\n-3e-2\n', { channel_0: [1.5, 2.5, -0.03] }],
  'CRLF, blank lines, blanks': [' 1.5\r\n\r\n2.5 \r\n\r\n', { channel_0: [1.5, 2.5] }],
  'carriage returns': ['1.5\r2.5\r', { channel_0: [1.5, 2.5] }],
  'one column with a header': ['wind speed\n1.5\nNaN\n2.5', { 'wind speed': [1.5, null, 2.5] }],
  commas: ['a,b\n1,2\n3,4\n', { a: [1, 3], b: [2, 4] }],
  'commas without a header': ['1.5,2\n3.5,\n', { channel_0: [1.5, 3.5], channel_1: [2, null] }],
  tabulators: ['a\tb\n1\t2\n3\t4\n', { a: [1, 3], b: [2, 4] }],
  pipes: ['a|b\n1|2\n3|4\n', { a: [1, 3], b: [2, 4] }],
  'semicolons at the ends of lines': ['a;b;\n1;2;\n3;4;\n', { a: [1, 3], b: [2, 4] }],
  'quoted cells': ['"a, b","c"\n"1","2"\n"3","4"\n', { 'a, b': [1, 3], c: [2, 4] }],
  'white space': ['  12.1   13.4\n  12.3   13.5\n', { channel_0: [12.1, 12.3], channel_1: [13.4, 13.5] }],
  'white space with a header': ['a    b\n1.0  2\n3.0  4\n', { a: [1, 3], b: [2, 4] }],
  'decimal commas between semicolons': ['20,5;1,5\n21,5;2,5\n', { channel_0: [20.5, 21.5], channel_1: [1.5, 2.5] }],
  'decimal commas between tabulators': ['20,5\t1,5\n21,5\t2,5\n', { channel_0: [20.5, 21.5], channel_1: [1.5, 2.5] }],
  'decimal commas between blanks': ['20,5  1,5\n21,5  2,5\n', { channel_0: [20.5, 21.5], channel_1: [1.5, 2.5] }],
  'decimal commas and a trailing semicolon': ['20,5;\n21,5;\n', { channel_0: [20.5, 21.5] }],
  'decimal commas under a single name': ['Wert\n20,5\n21,5\n', { Wert: [20.5, 21.5] }],
  'decimal commas, told by a line without': ['20,5\n21\n21,5\n', { channel_0: [20.5, 21, 21.5] }],
  'decimal commas, told by a zero behind one': ['20,50\n22,05\n', { channel_0: [20.5, 22.05] }],
  'decimal commas, told by an exponent': ['2,5e1\n2,6e1\n', { channel_0: [25, 26] }],
  'decimal commas, told by many digits': ['20,5\n21,1\n20,3\n21,9\n22,0\n22,2\n', {
    channel_0: [20.5, 21.1, 20.3, 21.9, 22, 22.2],
  }],
  'commas that tell nothing separate': ['1,5\n2,5\n', { channel_1: [5, 5] }],
  'two columns of whole numbers': ['12,80\n15,79\n11,81\n', { channel_0: [12, 15, 11], channel_1: [80, 79, 81] }],
  'a label of 0 and 1': ['12,0\n15,1\n11,0\n', { channel_0: [12, 15, 11], channel_1: [0, 1, 0] }],
  comments: ['# made by a logger, in 2026\n# two, columns\n1.5\n2.5\n', { channel_0: [1.5, 2.5] }],
  'a comment that is the header': ['# of today\n# speed power\n1.5 2\n2.5 3\n', { speed: [1.5, 2.5], power: [2, 3] }],
  'a counter without a name': [',a\n0,5\n1,6\n2,7\n', { a: [5, 6, 7] }],
  'a counter from one': ['No;a\n1;5\n2;6\n', { a: [5, 6] }],
  'a counter alone': ['index\n0\n1\n2\n', { index: [0, 1, 2] }],
  'no counter: it jumps': ['id,a\n1,5\n3,6\n', { id: [1, 3], a: [5, 6] }],
  'no counter by its name': ['level,a\n1,5\n2,6\n', { level: [1, 2], a: [5, 6] }],
  'text beside numbers': ['machine,a\nM1,5\nM1,6\n', { a: [5, 6] }],
  'numbers on one line': ['1.5, 2.5, 3.5\n', { channel_0: [1.5, 2.5, 3.5] }],
  'decimal commas on one line': ['1,5; 2,5; 3,5', { channel_0: [1.5, 2.5, 3.5] }],
  'large numbers that could be times': ['1700000000\n1700000060\n', { channel_0: [1_700_000_000, 1_700_000_060] }],
  'JSON: numbers': ['[1.5, null, 2.5]', { channel_0: [1.5, null, 2.5] }],
  'JSON: numbers as text': ['["1.5", "2.5"]', { channel_0: [1.5, 2.5] }],
  'JSON: rows': ['[[1, 2], [3, null]]', { channel_0: [1, 3], channel_1: [2, null] }],
  'JSON: rows with a header': ['[["a", "b"], [1, 2], [3, 4]]', { a: [1, 3], b: [2, 4] }],
  'JSON: rows with names beside them': ['{"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}', {
    a: [1, 3],
    b: [2, 4],
  }],
  'JSON: records of different members': ['[{"a": 1}, {"a": 2, "b": "3"}]', { a: [1, 2], b: [null, 3] }],
  'JSON: records with what is no number': [
    '[{"a": 1, "tags": {"x": 1}, "on": true}, {"a": 2, "tags": {"x": 2}, "on": false}]',
    { a: [1, 2] },
  ],
  'JSON: columns': ['{"unit": "kW", "a": [1, 2], "b": [3, 4]}', { a: [1, 2], b: [3, 4] }],
  'JSON: columns under a name': ['{"data": {"a": [1, 2], "b": [3, 4]}}', { a: [1, 2], b: [3, 4] }],
  'JSON: one column under a name': ['{"values": [1, 2]}', { values: [1, 2] }],
  'JSON: channels alone': ['{"channels": {"a": [1, null]}}', { a: [1, null] }],
  'JSON: a request without a time axis': ['{"channels": {"a": [1, null]}, "options": {"topChannels": 1}}', {
    a: [1, null],
  }],
  'JSON: what Python writes for a missing value': ['{"NaN": [1, NaN], "b": [2, -Infinity]}', {
    NaN: [1, null],
    b: [2, null],
  }],
  'JSON: a record a line': ['{"a": 1}\n{"a": 2}\r\n\n{"a": 3}', { a: [1, 2, 3] }],
  'JSON: a row a line': ['[1, 2]\n[3, 4]\n', { channel_0: [1, 3], channel_1: [2, 4] }],
  'JSON: a member of every object': ['[{"__proto__": 1, "constructor": 2}, {"__proto__": 3, "constructor": 4}]', {
    ['__proto__']: [1, 3],
    constructor: [2, 4],
  }],
  'a header in brackets is no JSON': ['[V],[A]\n1,2\n3,4\n', { '[V]': [1, 3], '[A]': [2, 4] }],
}
for (const [name, [content, columns]] of Object.entries(NUMBERED)) {
  t.test(`without times: ${name}`, async (t) => {
    t.same(Object.entries(read(content)), Object.entries(numbered(columns)))
  })
}

/** File → columns; the times are 2026-01-31T00:00 and a minute later. */
const TIMED: Record<string, [string, Record<string, Array<number | null>>]> = {
  'semicolons, decimal commas, German dates': ['Zeit;Wert\n31.01.2026 00:00;20,5\n31.01.2026 00:01;20,25\n', {
    Wert: [20.5, 20.25],
  }],
  'the same without a header': ['31.01.2026 00:00;20,5\n31.01.2026 00:01;20,25\n', { channel_1: [20.5, 20.25] }],
  'white space, a date and a time of day': ['2026-01-31 00:00:00  1.5\n2026-01-31 00:01:00  2.5\n', {
    channel_1: [1.5, 2.5],
  }],
  'white space, both with names': ['date time a\n2026-01-31 00:00:00 1.5\n2026-01-31 00:01:00 2.5\n', {
    a: [1.5, 2.5],
  }],
  'epoch seconds': ['1769817600,1.5\n1769817660,2.5\n', { channel_1: [1.5, 2.5] }],
  'a counter beside times': [',timestamp,a\n0,2026-01-31 00:00,1\n1,2026-01-31 00:01,2\n', { a: [1, 2] }],
  'rows out of order': ['t,a\n2026-01-31 00:01,2\n2026-01-31 00:00,1\n', { a: [1, 2] }],
  'JSON: a request': ['{"start": "2026-01-31T00:00:00Z", "step": "PT1M", "channels": {"a": [1, null]}}', {
    a: [1, null],
  }],
  'JSON: a request with timestamps': [
    '{"timestamps": ["2026-01-31T00:00:00Z", "2026-01-31T00:01:00Z"], "channels": {"a": [1, 2]}}',
    { a: [1, 2] },
  ],
  'JSON: records': ['[{"ts": 1769817600000, "a": 1}, {"ts": 1769817660000, "a": 2}]', { a: [1, 2] }],
  'JSON: columns': ['{"when": ["2026-01-31T00:00:00Z", "2026-01-31T00:01:00Z"], "a": [1, 2]}', { a: [1, 2] }],
  'JSON: as Azure has it': [
    '{"granularity": "minutely", "series": [{"timestamp": "2026-01-31T00:00:00Z", "value": 1}, ' +
    '{"timestamp": "2026-01-31T00:01:00Z", "value": 2}]}',
    { value: [1, 2] },
  ],
  'JSON: a record a line': ['{"time": "2026-01-31T00:00:00Z", "a": 1}\n{"time": "2026-01-31T00:01:00Z", "a": 2}\n', {
    a: [1, 2],
  }],
}
for (const [name, [content, columns]] of Object.entries(TIMED)) {
  t.test(`with times: ${name}`, async (t) => { t.same(read(content), timed(columns)) })
}

const gzipped = gzipSync(csvOf(windSeries(60)))
/** [file, code, what the message says] */
const REFUSED: Record<string, [string | Uint8Array, string, RegExp]> = {
  nothing: ['', 'invalid-table', /The file is empty; send one number per line/],
  blanks: ['\n \n\t\n', 'invalid-table', /The file is empty/],
  'comments alone': ['# a\n# b\n', 'invalid-table', /The table is empty/],
  'a header alone': ['timestamp,value\n', 'invalid-table', /no rows/],
  'one number': ['42', 'none', /^$/],
  'text alone': ['hello\nworld\n', 'invalid-table', /no numeric column/],
  'a letter': ['Dear all,\nplease find the data below.\n', 'invalid-table', /no numeric column/],
  'missing values alone': ['NaN\nNaN\n', 'invalid-table', /no numbers, only missing values/],
  'missing values under a name': ['a\nn/a\n\n-\n', 'invalid-table', /no numbers/],
  'a null of JSON': ['null', 'invalid-table', /no numbers/],
  'a typo in a time': [
    'timestamp,a\n2026-13-01,1\n2026-13-02,2\n',
    'invalid-timestamp',
    /"timestamp" are in no known format; write them as 2026-01-31T13:50:00Z\.$/,
  ],
  'a typo in one time': [
    'timestamp,a\n2026-01-31,1\n2026-02-01,2\n2026-02-02,3\nyesterday,4\n',
    'invalid-timestamp',
    /Line 5, column "timestamp": "yesterday"/,
  ],
  'a typo in one number': ['# of today\na\n1\n2\nx3\n', 'invalid-value', /Line 5, column "a": "x3" is not a number/],
  'a typo in a record': ['[{"a": 1}, {"a": "x"}]', 'invalid-value', /Entry 2, column "a": "x"/],
  'two columns of one name': ['a,a\n1,2\n', 'invalid-table', /Two columns are named "a"/],
  'an open quotation mark': ['a,b\n"1,2\n', 'invalid-table', /quotation marks/],
  'gzip cut off': [gzipped.subarray(0, 100), 'malformed-body', /truncated or damaged/],
  'gzip damaged': [
    Buffer.concat([gzipped.subarray(0, 100), Buffer.alloc(50), gzipped.subarray(150)]),
    'malformed-body',
    /truncated or damaged/,
  ],
  'gzip in gzip': [gzipSync(gzipped), 'invalid-table', /a gzip file within a gzip file/],
  'a workbook': [
    Buffer.from('PK\x03\x04\x14\x00\x06\x00[Content_Types].xml', 'latin1'),
    'invalid-table',
    /ZIP archive, or a workbook of a spreadsheet program, not a table; send the series as text, CSV or JSON/,
  ],
  'a picture': [Buffer.from('\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR', 'latin1'), 'invalid-table', /a PNG picture/],
  'a Parquet file': [Buffer.from('PAR1\x15\x04\x15\x00', 'latin1'), 'invalid-table', /a Parquet file/],
  'a web page': ['<!doctype html><title>404</title>', 'invalid-table', /HTML or XML/],
  'zero bytes': [Buffer.from('1\n2\n\x00\x003\n', 'latin1'), 'invalid-table', /is binary, not a table/],
  noise: [Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 167 + 89) % 256)), 'invalid-table', /is binary/],
  'JSON cut off': ['{"a": [1, 2', 'malformed-body', /begins like JSON but is not valid/],
  'JSON cut off behind NaN': ['{"a": [NaN, 2', 'malformed-body', /begins like JSON but is not valid/],
  'a broken record among lines': [
    '{"a": 1}\n{"a": \n',
    'malformed-body',
    /Line 2 is not JSON, although the lines before are/,
  ],
  'JSON without a series': ['{"a": 1}', 'invalid-table', /The JSON contains no series; send a list of numbers/],
  'JSON with a nested nothing': ['{"data": {"a": {"b": 1}}}', 'invalid-table', /contains no series/],
  'an empty list': ['[]', 'invalid-table', /empty list/],
  'empty records': ['[{}, {}]', 'invalid-table', /contains no series/],
  'empty rows': ['[[], []]', 'invalid-table', /contains no series/],
  'a list of all sorts': ['[1, [2], {"a": 3}]', 'invalid-table', /of different kinds/],
  'lists of two lengths': ['{"a": [1, 2], "b": [3]}', 'channel-length-mismatch', /"a" has 2 entries, "b" has 1/],
  'a request that is wrong': [
    '{"start": "2026-01-31T00:00:00Z", "channels": {"a": [1, 2]}}',
    'invalid-request',
    /step/,
  ],
}
for (const [name, [content, code, message]] of Object.entries(REFUSED)) {
  t.test(`refused: ${name}`, async (t) => {
    const problem = refused(content)
    t.equal(problem.code, code, problem.message)
    t.match(problem.message, message)
    t.notMatch(problem.message, /timestampColumn|timestampFormat|delimiter|query/)
  })
}

t.test('a file is never inflated beyond the limit', async (t) => {
  t.match(refused(gzipSync(Buffer.alloc(5_000_000, '1\n')), { maxBytes: 200_000, maxValues: 1000 }), {
    code: 'body-too-large',
    message: /more than 200000 bytes/,
  })
  t.match(refused('1\n'.repeat(200_000), { maxBytes: 200_000, maxValues: 1_000_000 }), { code: 'body-too-large' })
  t.match(refused('1\n'.repeat(2000), { maxBytes: 200_000, maxValues: 1000 }), { code: 'series-too-long' })
  t.match(refused('1 '.repeat(2000), { maxBytes: 200_000, maxValues: 1000 }), { code: 'series-too-long' })
  t.match(
    refused(JSON.stringify(Array.from({ length: 3000 }, () => ({ a: 1 }))), { maxBytes: 200_000, maxValues: 1000 }),
    { code: 'series-too-long', message: /more entries/ }
  )
})

/** Bodies of 32 MB that would keep a careless reader busy, or fill its memory. */
const HOSTILE: Record<string, () => string> = {
  'line ends': () => '\n'.repeat(LIMITS.maxBytes),
  commas: () => ','.repeat(LIMITS.maxBytes),
  'commas below a header': () => `a,b\n1,2\n${','.repeat(LIMITS.maxBytes - 10)}`,
  'quotation marks': () => '"'.repeat(LIMITS.maxBytes),
  'blanks between': () => `1${' '.repeat(LIMITS.maxBytes - 2)}2`,
  words: () => 'a '.repeat(LIMITS.maxBytes / 2),
  'numbers on one line': () => '1,'.repeat(LIMITS.maxBytes / 2),
  digits: () => '1'.repeat(LIMITS.maxBytes),
  comments: () => '#\n'.repeat(LIMITS.maxBytes / 2),
  'a wide header above short lines': () =>
    `${Array.from({ length: 1000 }, (_, i) => `c${i}`).join(',')}\n${'1\n'.repeat(900_000)}`,
  brackets: () => '['.repeat(LIMITS.maxBytes),
  'empty objects': () => `[${'{},'.repeat(11_000_000)}{}]`,
  'empty objects a line': () => '{}\n'.repeat(11_000_000),
  names: () => `[${Array.from({ length: 2_000_000 }, (_, i) => `{"k${i}":1}`).join(',')}]`,
  'names of a few': () => `[${Array.from({ length: 900_000 }, (_, i) => `{"k${i % 1000}":1}`).join(',')}]`,
  'orders of a few names': () =>
    `[${Array.from({ length: 700_000 }, (_, i) => `{"a${i % 61}":1,"b${i % 67}":1,"c${i % 71}":1}`).join(',')}]`,
  numbers: () => `[${'1,'.repeat(16_000_000)}1]`,
  'a string': () => `["${'\\"'.repeat(16_000_000)}"]`,
  NaN: () => `[${'NaN,'.repeat(8_000_000)}`,
  'German dates': () => `t;a\n${'31.01.2026 00:00;1\n'.repeat(LIMITS.maxBytes / 19 - 1)}`,
}
for (const [name, make] of Object.entries(HOSTILE)) {
  t.test(`hostile: ${name}`, { timeout: 60_000 }, async (t) => {
    const body = bytes(make())
    const before = process.cpuUsage()
    const { code } = refused(body)
    const { user, system } = process.cpuUsage(before)
    t.comment(`${code}: ${Math.round((user + system) / 1000)} ms`)
    t.ok(user + system < 6_000_000, 'seconds, not minutes, on a busy machine')
  })
}

t.test('any bytes are read or refused with a Problem', async () => {
  const cell = fc.oneof(
    fc.constantFrom(
      '1',
      '1,5',
      '2.5',
      '#',
      '"',
      '""',
      '{',
      '}',
      '[',
      ']',
      ':',
      'NaN',
      'null',
      'time',
      '2026-01-31',
      '00:10',
      '\uFEFF',
      'ä'
    ),
    fc.string()
  )
  const text = fc.array(
    fc.array(cell, { maxLength: 5 }).chain((cells) => fc.constantFrom(',', ';', ' ', '\t').map((by) => cells.join(by)))
  ).chain((lines) => fc.constantFrom('\n', '\r\n', '\r').map((by) => lines.join(by)))
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text,
    fc.json(),
    fc.array(fc.json()).map((lines) => lines.join('\n')),
    text.map((one) => utf16(one)),
    text.map((one) => gzipSync(one))
  )
  fc.assert(
    fc.property(content, (one) => {
      refused(one)
    }),
    { numRuns: 2000 }
  )
})

t.test('what was written is read, in any shape', async () => {
  const rows = fc.array(
    fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true })),
    { minLength: 2, maxLength: 20 }
  )
  fc.assert(fc.property(rows, (pairs) => {
    const columns = { a: pairs.map(([a]) => a), b: pairs.map(([, b]) => b) }
    const shapes = [
      `a,b\n${pairs.map((pair) => pair.join(',')).join('\n')}`,
      `a b\r\n${pairs.map((pair) => pair.join('  ')).join('\r\n')}\r\n`,
      `"a";"b"\n${pairs.map((pair) => pair.map((value) => String(value).replace('.', ',')).join(';')).join('\n')}`,
      JSON.stringify(pairs.map(([a, b]) => ({ a, b }))),
      pairs.map(([a, b]) => JSON.stringify({ a, b })).join('\n'),
      JSON.stringify(columns),
      JSON.stringify([['a', 'b'], ...pairs]),
    ]
    return shapes.every((shape) => {
      const { a, b } = read(shape)
      return a!.every((value, i) => value === columns.a[i]) && b!.every((value, i) => value === columns.b[i])
    })
  }))
})

const models = residentModels([smallModel])
await models.add({ name: 'small', version: '1', digest: smallModel.digest, where: 'small', bytes: new Uint8Array(1) })
const answer = async (content: string) => {
  const outcome = await answerRequest(models, testConfig(), {
    body: bytes(content),
    mediaType: 'application/octet-stream',
    contentType: '',
    query: {},
    answerTypes: ['application/json'],
  })
  if ('failure' in outcome) throw new Error(outcome.failure.message)
  return ComputeAnswerSchema.parse(JSON.parse(new TextDecoder().decode(outcome.answered.bodies[0])))
}

t.test('a file is answered by the model of its channels, whose interval numbered rows take', async (t) => {
  const series = windSeries(40)
  const withTimes = await answer(csvOf(series))
  t.match(withTimes, { model: { name: 'small' }, start: '2026-01-01T00:00:00Z', step: 'PT10M' })
  t.notOk('numbered' in withTimes)
  const bare = csvOf(series).split('\n').map((line) => line.slice(line.indexOf(',') + 1)).join('\n')
  const numbers = await answer(bare)
  t.match(numbers, { model: { name: 'small' }, start: '1970-01-01T00:00:00Z', step: 'PT10M', numbered: true })
  t.same(numbers.score, withTimes.score)
  t.notOk('timestamps' in numbers, 'nobody gave them')
  const { channels } = jsonOf(series)
  t.same((await answer(JSON.stringify({ channels }))).score, withTimes.score)
  t.match(await answer(JSON.stringify({ channels, options: {} })), { step: 'PT10M', numbered: true })
  t.same(
    (await answer(
      timesOf(series).map((ts, i) =>
        JSON.stringify({
          ts,
          ...Object.fromEntries(Object.entries(channels).map(([name, values]) => [name, values[i]])),
        })
      ).join('\n')
    )).score,
    withTimes.score
  )
})

t.test('a column of numbers is answered by a model of its own', async (t) => {
  const numbers = Array.from({ length: 300 }, (_, i) => Math.sin(i / 5) + (i > 200 && i < 206 ? 4 : 0))
  const { model, step, numbered, anomalies } = await answer(numbers.join('\n'))
  t.match({ model, step, numbered }, { model: { name: 'ad-hoc' }, step: 'PT1S', numbered: true })
  t.ok(anomalies!.some(({ peak }) => peak.startsWith('1970-01-01T00:03:2')))
})

t.test('POST /compute takes tables without times, but no bytes of unknown kind', async (t) => {
  const app = await testApp([smallModel])
  t.teardown(() => app.close())
  const series = windSeries(40)
  const payload = csvOf(series).split('\n').map((line) => line.slice(line.indexOf(',') + 1)).join('\n')
  const post = async (type: string, query = '') =>
    (await app.inject({ method: 'POST', url: `/compute${query}`, payload, headers: { 'content-type': type } })).json()
  t.match(await post('text/csv'), { model: { name: 'small' }, numbered: true, step: 'PT10M' })
  t.match(await post('text/csv', '?timestampColumn=when'), { code: 'invalid-table' })
  t.match(await post('text/csv', '?timestampFormat=HH:mm'), { code: 'invalid-timestamp' })
  t.match(await post('application/octet-stream'), { code: 'unsupported-media-type' })
})
