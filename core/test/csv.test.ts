// Reading tables: delimiters, decimal commas, timestamps as people write them, and errors that say where.
import fc from 'fast-check'
import t from 'tap'
import { keepChannels, readTable } from '../csv.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { detectTimestampReader } from '../timestamps.ts'

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
  const table = readTable(text, { delimiter: '|', decimal: ',', timestampColumn: 'when', timestampFormat: 'MM-dd-yy h a' })
  t.equal(table.timestamps[0], Date.UTC(2026, 0, 31, 17))
  t.same(Array.from(table.values), [1.5])
  t.throws(() => readTable(text, { delimiter: '|', timestampColumn: 'wen' }), { code: 'invalid-table', message: /no column "wen"; the columns are made, when, a/ })
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
  t.equal(read('01/10/2026', '01/11/2026', '02/01/2026'), Date.UTC(2026, 0, 10), 'month first: day first would run backwards')
  const usa = Array.from({ length: 240 }, (_, i) => `${1 + Math.floor(i / 120)}/${1 + Math.floor(i / 24) % 5}/2026 ${i % 24}:00`.replace(/^2\//, '1/'))
  t.equal(detectTimestampReader(usa.slice(0, 120))?.(usa[24]!), Date.UTC(2026, 0, 2), 'month first: day first would jump by months')
  t.equal(read('99999999999999999'), undefined, 'no year that machines write')
  t.equal(read('soon'), undefined)
  t.equal(read(), undefined)
})

t.test('a format that contradicts itself is refused', async (t) => {
  t.throws(() => readTable('t,a\n1,2\n', { timestampFormat: 'hh HH a' }), { code: 'invalid-timestamp', message: /"hh HH a" is no timestamp format/ })
})

t.test('a cell of a million digits costs no time', { timeout: 10_000 }, async (t) => {
  for (const decimal of ['.', ','] as const) {
    const digits = '1'.repeat(1_000_000)
    t.throws(() => readTable(`t;a\n2026-01-31;1\n2026-02-01;${digits}x\n`, { delimiter: ';', decimal }), { code: 'invalid-value' })
  }
})

t.test('errors name line and column', async (t) => {
  const head = 'timestamp,a\n2026-01-31T00:00:00Z,1\n2026-01-31T00:00:01Z,2\n2026-01-31T00:00:02Z,3\n'
  t.throws(() => readTable(`${head}2026-01-31T00:00:03Z,x1\n`), { code: 'invalid-value', message: /Line 5, column "a": "x1"/ })
  t.throws(() => readTable(`${head}yesterday,1\n`), { code: 'invalid-timestamp', message: /Line 5, column "timestamp"/ })
  t.throws(() => readTable('timestamp,a\nsoon,1\nlater,2\n'), { code: 'invalid-timestamp' })
  t.throws(() => readTable('x,a\nsoon,1\nlater,2\n'), { code: 'invalid-table', message: /No column holds timestamps/ })
  t.throws(() => readTable(''), { code: 'invalid-table' })
  t.throws(() => readTable('timestamp,a\n'), { code: 'invalid-table', message: /no rows/ })
  t.throws(() => readTable('timestamp,a,a\n2026-01-31,1,2\n'), { code: 'invalid-table', message: /Two columns are named "a"/ })
  t.throws(() => readTable('timestamp,a\n2026-01-31,hello\n'), { code: 'invalid-table', message: /no numeric column/ })
  t.throws(() => readTable('timestamp,a\n2026-01-31,"1\n2026-02-01,2\n'), { code: 'invalid-table', message: /quotation marks/ })
})

t.test('a short row misses its last cells; a point can be told where commas would be detected', async (t) => {
  t.same(Array.from(readTable('t,a,b\n2026-01-31,1,2\n2026-02-01,3\n').values), [1, 2, 3, NaN])
  t.throws(() => readTable('t;a\n2026-01-31;1,5\n2026-02-01;2,5\n', { decimal: '.' }), { code: 'invalid-table', message: /no numeric column/ })
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
  const rows = Array.from({ length: 5000 }, (_, i) => `${new Date(DAY + i * 1000).toISOString()},${i},${i === 4321 ? 7 : 'n/a'}`)
  const { channels, values } = readTable(`t,a,rare\n${rows.join('\n')}\n`)
  t.same(channels, ['a', 'rare'])
  t.equal(values[4321 * 2 + 1], 7)
})

t.test('infinite values are missing', async (t) => {
  t.same(Array.from(readTable('t,a\n2026-01-31,1e999\n2026-02-01,-inf\n2026-02-02,1\n').values), [NaN, NaN, 1])
})

t.test('a written table is read back to the bit', async () => {
  const number = fc.oneof(fc.constant(NaN), fc.double({ noNaN: true, noDefaultInfinity: true }))
  fc.assert(fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 30 }), (rows) => {
    const text = rows.map(([a, b], i) => `${new Date(DAY + i * 1000).toISOString()},${Number.isNaN(a) ? '' : a},${Number.isNaN(b) ? '' : b}`)
    const table = readTable(`timestamp,a,b\n${text.join('\n')}\n${new Date(DAY + 99_000).toISOString()},1,1`)
    return rows.flat().every((value, i) => Object.is(value === 0 ? 0 : value, table.values[i] === 0 ? 0 : table.values[i]))
  }))
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
