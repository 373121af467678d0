// Reading tables: delimiters, decimal commas, timestamps in many formats, and errors that name the place.
import fc from 'fast-check'
import { DateTime } from 'luxon'
import Papa from 'papaparse'
import t from 'tap'
import { parseCells } from '../cells.ts'
import { keepChannels, readCells, readTable } from '../csv.ts'
import { chooseDelimiter } from '../delimiter.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { readIsoTime } from '../iso-time.ts'
import { readNumber } from '../numbers.ts'
import { detectTimestampReader, timestampReader } from '../timestamps.ts'

const DAY = Date.UTC(2026, 0, 31)

t.test('a plain table', async (t) => {
  const table = readTable('timestamp,a,b\n2026-01-31T00:00:00Z,1.5,2\n2026-01-31T00:10:00Z,,-3e-2\n')
  t.same(table.channels, ['a', 'b'])
  t.same(Array.from(table.timestamps), [DAY, DAY + 600_000])
  t.same(Array.from(table.values), [1.5, 2, NaN, -0.03])
  t.same(table.textColumns, [])
})

t.test('semicolons, decimal commas, German dates and a byte order mark', async (t) => {
  const table = readTable('\uFEFFZeit;Temperatur;Druck\r\n31.01.2026 00:00;20,5;1\r\n31.01.2026 00:10;-0,25;n/a\r\n')
  t.same(table.channels, ['Temperatur', 'Druck'])
  t.same(Array.from(table.timestamps), [DAY, DAY + 600_000])
  t.same(Array.from(table.values), [20.5, 1, -0.25, NaN])
})

t.test('text columns are left out, quoted cells are read, blank lines are skipped', async (t) => {
  const table = readTable('turbine,"time",a\nT01,2026-01-31 00:00:00,"1"\n\nT01,2026-01-31 00:00:10,2\n')
  t.same(table.channels, ['a'])
  t.same(table.textColumns, ['turbine'])
  t.equal(table.timestamps[1], DAY + 10_000)
})

t.test('a table without a header gets channel names', async (t) => {
  const table = readTable('2026-01-31T00:00:00Z\t1\t2\n2026-01-31T00:00:01Z\t3\t4\n')
  t.same(table.channels, ['channel_1', 'channel_2'])
  t.same(Array.from(table.values), [1, 2, 3, 4])
})

t.test('what the caller says wins over what would be detected', async (t) => {
  const text = 'made|when|a\n2020-01-01|01-31-26 5 PM|1,5\n'
  const table = readTable(text, {
    delimiter: '|',
    decimal: ',',
    timestampColumn: 'when',
    timestampFormat: 'MM-dd-yy h a',
  })
  t.equal(table.timestamps[0], Date.UTC(2026, 0, 31, 17))
  t.same(Array.from(table.values), [1.5])
  t.throws(() => readTable(text, { delimiter: '|', timestampColumn: 'wen' }), {
    code: 'invalid-table',
    message: /no column "wen"; the columns are made, when, a/,
  })
})

t.test('timestamps', async (t) => {
  const read = (...texts: string[]): number | undefined => detectTimestampReader(texts)?.(texts[0]!)
  t.equal(read('2026-01-31T01:00:00+01:00'), DAY)
  t.equal(read('2026-01-31'), DAY)
  t.equal(read('1769817600'), DAY, 'seconds')
  t.equal(read('1769817600000'), DAY, 'milliseconds')
  t.equal(read('1769817600000000'), DAY, 'microseconds')
  t.equal(read('1769817600000000000'), DAY, 'nanoseconds')
  t.equal(read('2026-01-31 00:00:00 UTC'), DAY)
  t.equal(read('31/01/2026 00:00'), DAY)
  t.equal(read('1/31/2026 12:00 AM'), DAY)
  t.equal(read('01/02/2026', '02/02/2026', '03/02/2026'), Date.UTC(2026, 1, 1), 'day first: the times ascend')
  t.equal(read('01/02/2026', '01/03/2026', '01/13/2026'), Date.UTC(2026, 0, 2), 'month first: no month 13')
  t.equal(
    read('01/10/2026', '01/11/2026', '02/01/2026'),
    Date.UTC(2026, 0, 10),
    'month first: day first would run backwards'
  )
  const usa = Array.from(
    { length: 240 },
    (_, i) => `${1 + Math.floor(i / 120)}/${1 + Math.floor(i / 24) % 5}/2026 ${i % 24}:00`.replace(/^2\//, '1/')
  )
  t.equal(
    detectTimestampReader(usa.slice(0, 120))?.(usa[24]!),
    Date.UTC(2026, 0, 2),
    'month first: day first would jump by months'
  )
  t.equal(read('99999999999999999'), undefined, 'no year that machines write')
  t.equal(read('soon'), undefined)
  t.equal(read(), undefined)
})

t.test('a format that contradicts itself is refused', async (t) => {
  t.throws(() => readTable('t,a\n1,2\n', { timestampFormat: 'hh HH a' }), {
    code: 'invalid-timestamp',
    message: /"hh HH a" is not a timestamp format/,
  })
})

t.test('a cell of a million digits costs no time', { timeout: 10_000 }, async (t) => {
  for (const decimal of ['.', ','] as const) {
    const digits = '1'.repeat(1_000_000)
    t.throws(() => readTable(`t;a\n2026-01-31;1\n2026-02-01;${digits}x\n`, { delimiter: ';', decimal }), {
      code: 'invalid-value',
    })
  }
})

t.test('errors name line and column', async (t) => {
  const head = 'timestamp,a\n2026-01-31T00:00:00Z,1\n2026-01-31T00:00:01Z,2\n2026-01-31T00:00:02Z,3\n'
  t.throws(() => readTable(`${head}2026-01-31T00:00:03Z,x1\n`), {
    code: 'invalid-value',
    message: /Line 5, column "a": "x1"/,
  })
  t.throws(() => readTable(`${head}yesterday,1\n`), {
    code: 'invalid-timestamp',
    message: /Line 5, column "timestamp"/,
  })
  t.throws(() => readTable('timestamp,a\nsoon,1\nlater,2\n'), { code: 'invalid-timestamp' })
  t.throws(() => readTable('x,a\nsoon,1\nlater,2\n'), { code: 'invalid-table', message: /No column holds timestamps/ })
  t.throws(() => readTable(''), { code: 'invalid-table' })
  t.throws(() => readTable('timestamp,a\n'), { code: 'invalid-table', message: /no rows/ })
  t.throws(() => readTable('timestamp,a,a\n2026-01-31,1,2\n'), {
    code: 'invalid-table',
    message: /Two columns are named "a"/,
  })
  t.throws(() => readTable('timestamp,a\n2026-01-31,hello\n'), { code: 'invalid-table', message: /no numeric column/ })
  t.throws(() => readTable('timestamp,a\n2026-01-31,"1\n2026-02-01,2\n'), {
    code: 'invalid-table',
    message: /quotation marks/,
  })
})

t.test('a short row lacks its last cells; a decimal point can be given if commas would be detected', async (t) => {
  t.same(Array.from(readTable('t,a,b\n2026-01-31,1,2\n2026-02-01,3\n').values), [1, 2, 3, NaN])
  t.throws(() => readTable('t;a\n2026-01-31;1,5\n2026-02-01;2,5\n', { decimal: '.' }), {
    code: 'invalid-table',
    message: /no numeric column/,
  })
})

t.test('a date and a time of day beside it are one timestamp', async (t) => {
  const table = readTable('date,time,a\n2026-01-31,00:00,1\n2026-01-31,00:10,2\n')
  t.same(Array.from(table.timestamps), [DAY, DAY + 600_000])
  t.same(table.channels, ['a'])
  t.same(table.textColumns, [])
})

t.test('the column that reads as timestamps wins over one that is only named like it', async (t) => {
  const table = readTable('t,timestamp,a\n0,2026-01-31T00:00:00Z,1\n1,2026-01-31T00:00:01Z,2\n')
  t.same(table.channels, ['t', 'a'])
  t.equal(table.timestamps[1], DAY + 1000)
})

t.test('a trailing delimiter is no channel, a nameless column with values is one', async (t) => {
  t.same(readTable('t,a,,\n2026-01-31,1,,\n2026-02-01,2,,\n').channels, ['a'])
  t.same(readTable('2026-01-31,1,\n2026-02-01,2,\n').channels, ['channel_1'], 'nor without a header')
  t.same(readTable(',a,\n2026-01-31,1,5\n2026-02-01,2,6\n').channels, ['a', 'column_3'])
})

t.test('chosen channels in the chosen order', async (t) => {
  const table = readTable('t,a,b,c\n2026-01-31,1,2,3\n2026-02-01,4,5,6\n')
  const kept = keepChannels(table, ['c', 'a'])
  t.same(kept.channels, ['c', 'a'])
  t.same(Array.from(kept.values), [3, 1, 6, 4])
  t.throws(() => keepChannels(table, ['c', 'x']), { code: 'missing-channel', message: /"x"/ })
})

t.test('a channel of few values is a channel still', async (t) => {
  const rows = Array.from(
    { length: 5000 },
    (_, i) => `${new Date(DAY + i * 1000).toISOString()},${i},${i === 4321 ? 7 : 'n/a'}`
  )
  const { channels, values } = readTable(`t,a,rare\n${rows.join('\n')}\n`)
  t.same(channels, ['a', 'rare'])
  t.equal(values[4321 * 2 + 1], 7)
})

t.test('infinite values are missing', async (t) => {
  t.same(Array.from(readTable('t,a\n2026-01-31,1e999\n2026-02-01,-inf\n2026-02-02,1\n').values), [NaN, NaN, 1])
})

t.test('a written table is read back to the bit', async () => {
  const number = fc.oneof(fc.constant(NaN), fc.double({ noNaN: true, noDefaultInfinity: true }))
  fc.assert(fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 30, size: 'max' }), (rows) => {
    const text = rows.map(([a, b], i) =>
      `${new Date(DAY + i * 1000).toISOString()},${Number.isNaN(a) ? '' : a},${Number.isNaN(b) ? '' : b}`
    )
    const table = readTable(`timestamp,a,b\n${text.join('\n')}\n${new Date(DAY + 99_000).toISOString()},1,1`)
    return rows.flat().every((value, i) =>
      Object.is(value === 0 ? 0 : value, table.values[i] === 0 ? 0 : table.values[i])
    )
  }))
})

const columnsOf = (text: string, options = {}): Record<string, number[]> => {
  const { channels, values } = readTable(text, { mayBeNumbered: true, ...options })
  return Object.fromEntries(
    channels.map((name, c) => [name, Array.from(values).filter((_, i) => i % channels.length === c)])
  )
}

t.test('a table without times is refused, or numbered where that is asked for', async (t) => {
  for (const text of ['1\n2\n3\n', 'a,b\n1,2\n3,4\n']) {
    t.throws(() => readTable(text), { code: 'invalid-table', message: /No column holds timestamps/ })
  }
  const table = readTable('1.5\n2.5\n\n3.5\n', { mayBeNumbered: true })
  t.same(table.channels, ['channel_0'])
  t.same(Array.from(table.timestamps), [0, 1000, 2000])
  t.same(Array.from(table.values), [1.5, 2.5, 3.5])
  t.equal(table.numbered, true)
  t.same(
    columnsOf('1769817600\n1769817660\n'),
    { channel_0: [1769817600, 1769817660] },
    'what could be times, but is all there is'
  )
  t.notOk('numbered' in readTable('t,a\n2026-01-31,1\n', { mayBeNumbered: true }))
  t.equal(keepChannels(table, ['channel_0']).numbered, true)
  t.throws(
    () => readTable('time,a\nsoon,1\nlater,2\n', { mayBeNumbered: true }),
    { code: 'invalid-timestamp' },
    'a typo does not lose the times'
  )
  t.throws(() => readTable('x,a\n1,1\n', { mayBeNumbered: true, timestampColumn: 'y' }), {
    code: 'invalid-table',
    message: /no column "y"/,
  })
  t.throws(() => readTable('x,a\n1,1\n', { mayBeNumbered: true, timestampFormat: 'HH:mm' }), {
    code: 'invalid-timestamp',
  })
  t.throws(
    () => readTable('time,a\nsoon,1\n', { hasOptions: false }),
    { message: /2026-01-31T13:50:00Z\.$/ },
    'no option is named to who has none'
  )
  t.throws(() => readTable('a,b\nx,y\n', { mayBeNumbered: true }), {
    code: 'invalid-table',
    message: /no numeric column\./,
  })
})

t.test('a first column that counts the rows is no channel of a table without times', async (t) => {
  t.same(columnsOf('id,a\n1,5\n2,6\n'), { a: [5, 6] })
  t.same(columnsOf(',a\n0,5\n1,6\n'), { a: [5, 6] })
  t.same(columnsOf('0,5\n1,6\n2,6\n'), { channel_1: [5, 6, 6] })
  t.same(columnsOf('id\n0\n1\n'), { id: [0, 1] }, 'but where it is all there is')
  t.same(columnsOf('id,a\n5,5\n6,6\n'), { id: [5, 6], a: [5, 6] })
  t.same(columnsOf('id,a\n,5\n1,6\n'), { id: [NaN, 1], a: [5, 6] })
  t.same(columnsOf('id,a\n0,5\n,6\n'), { id: [0, NaN], a: [5, 6] })
  t.same(columnsOf('a,id\n5,0\n6,1\n'), { a: [5, 6], id: [0, 1] })
  const timed = 'id,t,a\n0,2026-01-31,5\n1,2026-02-01,6\n'
  t.same(
    readTable(timed, { mayBeNumbered: true }).channels,
    ['id', 'a'],
    'beside times a model may have been trained with it'
  )
  t.same(readTable(timed, { mayBeNumbered: true, hasOptions: false }).channels, ['a'])
  t.same(readTable('id,a\n1,1769817600\n2,1769817660\n').channels, ['id'])
})

t.test('comments above a table, one of which may be the header', async (t) => {
  t.same(columnsOf('\uFEFF# a\r\n#\r\nx\r\n1\r\n'), { x: [1] })
  t.same(columnsOf('# x, y\n1,2\n3,4\n'), { x: [1, 3], y: [2, 4] })
  t.same(columnsOf('#,y\n0,2\n1,4\n'), { y: [2, 4] })
  t.same(columnsOf('# "x";"y"\n1;2\n3;4\n'), { x: [1, 3], y: [2, 4] })
  t.same(columnsOf('# made by A, of B\nx,y\n1,2\n'), { x: [1], y: [2] }, 'a header below is the header')
  t.same(columnsOf('# x, y, z\n1,2\n3,4\n'), { channel_0: [1, 3], channel_1: [2, 4] })
  t.throws(() => readTable('\n\r\n# a\n\na\n1\nx', { mayBeNumbered: true }), { message: /Line 7/ })
  t.same(columnsOf('# x,y\rmachine,2\r'), { y: [2] })
  t.throws(() => readTable('# a\n# b\na\nx\n1\n', { mayBeNumbered: true }), { message: /Line 4, column "a": "x"/ })
  t.throws(() => readTable('# a\n# b'), { code: 'invalid-table', message: /empty/ })
})

t.test('white space between columns', async (t) => {
  t.same(columnsOf(' 1.5   2.5\n-3.5   4.5\n'), { channel_0: [1.5, -3.5], channel_1: [2.5, 4.5] })
  t.same(columnsOf('a b\n1 2\n3 4\n'), { a: [1, 3], b: [2, 4] })
  t.same(columnsOf('wind speed\n1\n2\n'), { 'wind speed': [1, 2] }, 'a name of two words')
  const table = readTable('time x\n2026-01-31 00:00:00 1\n2026-01-31 00:00:01 2\n')
  t.same(Array.from(table.timestamps), [DAY, DAY + 1000])
  t.same(readTable('date time x\n2026-01-31 00:00:00 1\n').channels, ['x'])
  t.throws(() => columnsOf('hello world\nfoo bar\n'), { code: 'invalid-table' })
  t.same(columnsOf('1 2'), { channel_0: [1], channel_1: [2] })
  const rows = Array.from({ length: 12 }, (_, i) => i === 11 ? '7' : `${i} 5`)
  t.same(columnsOf(rows.join('\n'))['channel_1']?.slice(9), [5, 5, NaN], 'a short line below')
})

t.test('decimal commas without any other delimiter, where something tells them', async (t) => {
  const seconds = (text: string): Array<number | undefined> =>
    Object.values(columnsOf(text)).map(([, second]) => second)
  t.same(seconds('x\n1,5\n2,5\n'), [2.5], 'a single name')
  t.same(seconds('x,y\n1,5\n2,5\n'), [2, 5], 'two names')
  t.same(seconds('1,5\n2,5\n4,5\n'), [2, 5], 'nothing')
  t.same(seconds('1,5\n7\n'), [7], 'a line without')
  t.same(seconds('1,50\n7,05\n'), [7.05], 'a zero and more')
  t.same(seconds('1,5e0\n7,5e0\n'), [7.5], 'an exponent')
  t.same(seconds('1,0\n7,1\n1,2\n3,3\n4,4\n5,5\n'), [7.1], 'six digits')
  t.same(seconds('1,0\n7,1\nNaN\n3,3\n4,4\n5,5\n6,6\n'), [7.1], 'missing values among them')
  t.same(seconds('1,0\n2,1\n3,2\n4,3\n5,4\n6,5\n'), [1], 'but a counter is a counter')
  t.same(seconds('1,50\n7,\n'), [7, NaN], 'an empty cell')
  t.same(seconds('1;5,5\n7;2,5\n'), [7, 2.5])
  t.same(seconds('2026-01-31 00:00;1,5\n2026-02-01 00:00;2,5\n'), [2.5])
  t.same(seconds('a;b\n1,5;2\n2,5;3\n'), [2.5, 3])
  t.same(seconds(`${'1,05\n'.repeat(12)}1.5,2\n`), [1, 5], 'a line below that is no such number')
  t.same(seconds('a, b;c\n1,5\n2,5\n'), [2, 5])
})

t.test('names known from elsewhere leave the first row to the values', async (t) => {
  const table = readCells({ header: ['a', 'b'], columns: [['1', '2'], ['3', '']], row: { name: 'Entry', first: 1 } }, {
    mayBeNumbered: true,
    decimal: '.',
  })
  t.same([table.channels, Array.from(table.values)], [['a', 'b'], [1, 3, 2, NaN]])
})

t.test('a wide header above many short lines costs no memory', async (t) => {
  t.same(columnsOf('a,"b"\n1,2\n3\n'), { a: [1, 3], b: [2, NaN] })
  t.throws(() => readTable('""\n'), { code: 'invalid-table', message: /empty/ })
  t.throws(() => readTable(`${Array.from({ length: 500 }, (_, i) => `c${i}`).join(',')}\n${'1\n'.repeat(4000)}`), {
    code: 'invalid-table',
    message: /500 columns, but most of the 4001 lines/,
  })
})

/** As the parser of quoted tables would have it. */
function parsed (text: string, delimiter = ''): string[][] {
  const { data } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy', delimiter })
  return Array.from({ length: data[0]?.length ?? 0 }, (_, c) => data.map((row) => (row[c] ?? '').trim()))
}

t.test('lines without quotation marks are cut into the same cells as the parser cuts', async () => {
  const cell = fc.oneof(
    fc.constantFrom('', ' ', 'a', 'time', '1', '2.5', ' x ', '\u00A0', 'ä', '2026-01-31'),
    fc.string().map((text) => text.replaceAll(/[",;|\t#\r\n\s]|^\uFEFF/g, ''))
  )
  const lines = fc.tuple(
    fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 30, size: 'max' }),
    fc.constantFrom(',', ';', '\t', '|'),
    fc.constantFrom('\n', '\r\n', '\r')
  )
  fc.assert(
    fc.property(lines, fc.boolean(), ([rows, by, end], isGiven) => {
      const text = `a${by}b\n`.replace('\n', end) + rows.map((row) => row.join(by)).join(end)
      const expected = parsed(text, isGiven ? by : '')
      return JSON.stringify(parseCells(text, isGiven ? by : undefined).columns) === JSON.stringify(expected)
    }),
    { numRuns: 1000 }
  )
})

t.test('line ends of several kinds in one table are ends', async (t) => {
  for (const text of ['a,b\r1,2\r\n3,4\r5,6', 'a,b\r1,2']) {
    t.same(parseCells(text).columns, parsed(text), JSON.stringify(text))
  }
  for (const text of ['a,b\n1,2\r\n3,4\n5,6', 'a,b\r\n1,2\n3,4\r\n5,6', 'a,"b"\r\n1,2\n3,4\r\n5,6']) {
    t.same(
      parseCells(text).columns,
      [['a', '1', '3', '5'], ['b', '2', '4', '6']],
      `${JSON.stringify(text)}: every end is one`
    )
  }
  t.same(parseCells('a"b\n1"2', '"').columns, parsed('a"b\n1"2', '"'), 'a delimiter that cannot be one')
  t.same(parseCells('a,b\n1,2', '\n').columns, parsed('a,b\n1,2', '\n'))
})

t.test('numbers are read as Number() reads them, to the bit', async (t) => {
  const digits = fc.stringMatching(/^[+-]?\d{0,18}\.?\d{0,18}(e[+-]?\d{1,3})?$/)
  fc.assert(
    fc.property(fc.oneof(digits, fc.double().map(String), fc.integer().map(String)), (text) => {
      const value = Number(text)
      const expected = text === ''
        ? NaN
        : !/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/.test(text)
            ? readNumber(text, '.')
            : Number.isFinite(value)
              ? value
              : NaN
      return Object.is(readNumber(text, '.'), expected) && Object.is(readNumber(text.replace('.', ','), ','), expected)
    }),
    { numRuns: 5000 }
  )
  t.ok(Number.isNaN(readNumber('-', '.')))
  t.equal(readNumber('1.2.3', '.'), undefined)
  t.equal(readNumber('not available', '.'), undefined)
  t.ok(Object.is(readNumber('-0', '.'), -0))
})

t.test('ISO times are read as the library reads them, or left to it', async (t) => {
  const two = (most: number) => fc.integer({ min: 0, max: most }).map((value) => String(value).padStart(2, '0'))
  const shape = fc.tuple(
    fc.integer({ min: 0, max: 9999 }).map((year) => String(year).padStart(4, '0')),
    two(13),
    two(32),
    fc.constantFrom('T', ' ', 't', ''),
    two(25),
    two(61),
    fc.constantFrom(':', ''),
    two(61),
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('.', ','), fc.stringMatching(/^\d{0,12}$/)).map(([mark, fraction]) => mark + fraction)
    ),
    fc.oneof(
      fc.constantFrom('', 'Z', ' UTC', 'z', '+', '-0', '+01', '+0100'),
      fc.tuple(fc.constantFrom('+', '-'), two(25), two(61)).map(([sign, hours, minutes]) =>
        `${sign}${hours}:${minutes}`
      )
    )
  )
    .map(([year, month, day, between, hour, minute, colon, second, fraction, offset]) => {
      const date = `${year}-${month}-${day}`
      return between === ''
        ? date
        : `${date}${between}${hour}:${minute}${colon === '' ? '' : `:${second}${fraction}`}${offset}`
    })
  const library = (text: string): number => DateTime.fromISO(text.replace(' ', 'T'), { zone: 'utc' }).toMillis()
  let read = 0
  fc.assert(fc.property(shape, (text) => {
    const time = readIsoTime(text)
    if (time === undefined) return true
    read++
    return Object.is(time, library(text))
  }), { numRuns: 20_000 })
  t.ok(read > 2000, `${read} of 20000`)
  const wrong = Array.from({ length: 1000 }, (_, i) => `2026-01-31T00:00:00.${String(i).padStart(3, '0')}Z`)
    .filter((text) => readIsoTime(text) !== library(text))
  t.same(wrong, [], 'every millisecond')
  const days = Array.from({ length: 150_000 }, (_, i) => new Date(Date.UTC(1800, 0, 1) + i * 86_400_000).toISOString())
    .filter((text) => readIsoTime(text) !== Date.parse(text))
  t.same(days, [], 'every day of four centuries')
  for (const text of [
    '',
    '2026-02-29',
    '1900-02-29',
    '2026-1-31',
    '2026/01/31',
    '2026-01-31T24:00',
    '2026-01-31T00:00:60',
    '2026-01-31T00:00:00.',
    '2026-01-31T00:00:00.1234567891',
    '2026-01-31T00:00+25:00',
    '2026-01-31T00:00+01:0',
    '2026-01-31T00.00',
    '2026-01-31X00:00',
    '2026-01/31',
    '2026-01-31T00:00x01:00',
    '2026-01-31T00:00+01.00',
    '2026-01-31T00:00Z0',
    '2026-01-31T00:00+aa:00',
  ]) t.equal(readIsoTime(text), undefined, text)
  t.equal(readIsoTime('2000-02-29'), Date.UTC(2000, 1, 29))
  t.equal(readIsoTime('2024-02-29T00:00-00:30'), Date.UTC(2024, 1, 29, 0, 30))
  t.equal(
    detectTimestampReader(['2026-01-31 24:00:00 GMT'])?.('2026-01-31 24:00:00 GMT'),
    DAY + 86_400_000,
    'what is not usual is read by the library'
  )
})

t.test('dates in digits are read as the library reads them', async (t) => {
  const dates = ['d.M.yyyy', 'd/M/yyyy', 'M/d/yyyy', 'd-M-yyyy', 'yyyy/M/d', 'yyyyMMdd']
  const readers = dates.flatMap((date) => [date, `${date} H:mm:ss`, `${date} H:mm`, `${date} H:mm:ss.SSS`])
    .map((format) => [format, timestampReader(format)] as const)
  const part = (most: number, width: number) =>
    fc.integer({ min: 0, max: most }).map((value) => String(value).padStart(width, '0'))
  const text = fc.tuple(
    fc.constantFrom('.', '/', '-', ''),
    fc.boolean(),
    part(32, 1),
    part(13, 1),
    fc.oneof(part(9999, 4), fc.constantFrom('2024', '2026')),
    fc.constantFrom(0, 1, 2, 3),
    part(25, 1),
    part(61, 2),
    part(61, 2),
    part(999, 3)
  )
    .map(([by, isYearFirst, day, month, year, times, hour, minute, second, millisecond]) => {
      const date = by === ''
        ? `${year}${month.padStart(2, '0')}${day.padStart(2, '0')}`
        : (isYearFirst && by === '/' ? [year, month, day] : [day, month, year]).join(by)
      return times === 0
        ? date
        : `${date} ${hour}:${minute}${times > 1 ? `:${second}` : ''}${times > 2 ? `.${millisecond}` : ''}`
    })
  fc.assert(
    fc.property(text, (one) => {
      const read = detectTimestampReader([one])?.(one)
      const library = readers.map(([, slow]) => slow(one)).find((time) => !Number.isNaN(time))
      return read === undefined ? library === undefined : Object.is(read, library)
    }),
    { numRuns: 5000 }
  )
  t.equal(
    detectTimestampReader(['31.01.2026 24:00'])?.('31.01.2026 24:00'),
    DAY + 86_400_000,
    'what is not usual is left to it'
  )
  t.ok(Number.isNaN(detectTimestampReader(['31.01.2026 00:00'])?.('31.02.2026 00:00')))
})

t.test('what does not begin like a date is in none of the formats', async () => {
  const readers = ['d.M.yyyy', 'd/M/yyyy', 'd-M-yyyy', 'yyyy/M/d', 'yyyyMMdd', 'd LLL yyyy', 'LLL d, yyyy']
    .flatMap((date) => [date, `${date} H:mm`, `${date} h:mm:ss a`])
    .map((format) => [format, timestampReader(format)] as const)
  const time = fc.date({ min: new Date('1000-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }).map((date) =>
    DateTime.fromJSDate(date, { zone: 'utc' }).setLocale('en')
  )
  const written = fc.tuple(time, fc.constantFrom(...readers.map(([format]) => format))).map(([at, format]) =>
    at.toFormat(format)
  )
  fc.assert(
    fc.property(
      fc.oneof(
        written,
        fc.stringMatching(/^[\d./ :-]{6,12}$/),
        written.map((text) => text.slice(1)),
        written.map((text) => `0${text}`)
      ),
      (text) =>
        detectTimestampReader([text]) !== undefined || readers.every(([, read]) => Number.isNaN(read(text)))
    ),
    { numRuns: 3000 }
  )
})

t.test('durations', async (t) => {
  t.equal(parseDuration('PT10M'), 600_000)
  t.equal(parseDuration('P1W'), 604_800_000)
  t.equal(parseDuration('PT0.5S'), 500)
  t.equal(formatDuration(600_000), 'PT10M')
  t.equal(formatDuration(90_061_500), 'P1DT1H1M1.5S')
  for (const wrong of ['10m', '', 'P1M', 'P1Y', 'PT0S', '-PT1M', 'PT0.0001S', `PT${'9'.repeat(40)}S`]) {
    t.throws(() => parseDuration(wrong, '/step'), { code: 'invalid-request', items: [{ pointer: '/step' }] }, wrong)
  }
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e12 }), (ms) => parseDuration(formatDuration(ms)) === ms))
})

t.test('lines that show no delimiter are cut at commas, if commas come later', async (t) => {
  t.equal(chooseDelimiter(['a', 'b'], '\n', true), ',')
  t.not(chooseDelimiter(['a', 'b'], '\n', false), ',')
})
