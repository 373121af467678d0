// Dirt and the text of the files: it is there, at the rates that are asked for, and it can be undone.
import t from 'tap'
import { createRandom } from '../../core/random.ts'
import { timeOf, type Series } from '../../core/series/series.ts'
import { CHANNELS, SAMPLING_INTERVAL_MS } from '../channels.ts'
import { addDirt, DIRT_DEFAULTS, type Row } from '../dirt.ts'
import { farmFiles } from '../files.ts'
import { simulateFarm, WIND_FARM_DEFAULTS } from '../simulate.ts'

const days = 40
const { series } = simulateFarm({ turbines: 1, days, trainingDays: days }).turbines[0]!

/** Rounds times to the grid, sorts, and keeps one row for each time: index on the grid → values. */
function clean (rows: readonly Row[], { start, interval }: Series): Map<number, Float64Array> {
  const snapped = rows.map(({ time, values }) => [Math.round((time - start) / interval), values] as const)
  return new Map(snapped.toSorted(([a], [b]) => a - b))
}

t.test('snapped, sorted and without repeats, the rows are the series again but for what is missing', (t) => {
  const rows = addDirt(series, createRandom('dirt'))
  const restored = clean(rows, series)
  const absent = series.length - restored.size
  t.ok(absent > 20 && absent < 0.03 * series.length, `${absent} rows absent`)
  let missing = 0
  for (const [at, values] of restored) {
    values.forEach((value, c) => {
      if (Number.isNaN(value)) missing++
      else if (value !== series.values[at * CHANNELS.length + c]) t.fail(`observation ${at}, ${CHANNELS[c]}`)
    })
  }
  const share = missing / (restored.size * CHANNELS.length)
  t.ok(share > 0.002 && share < 0.006, `${(100 * share).toFixed(2)} % of values missing`)
  t.end()
})

t.test('every kind of dirt is there', (t) => {
  const rows = addDirt(series, createRandom('dirt'))
  const offGrid = rows.filter(({ time }) => (time - series.start) % SAMPLING_INTERVAL_MS !== 0)
  t.ok(offGrid.length > 0.8 * rows.length, 'most times are off the grid')
  t.ok(
    rows.every(({ time }) =>
      Math.abs(time - timeOf(series, Math.round((time - series.start) / SAMPLING_INTERVAL_MS))) <= 60_000
    ),
    'by a minute at most'
  )
  t.ok(rows.every(({ time }) => time % 1000 === 0), 'in whole seconds')
  const repeats = rows.filter((row, i) => rows.slice(Math.max(0, i - 4), i).some(({ values }) => values === row.values))
  const exact = rows.filter((row, i) => rows.slice(Math.max(0, i - 4), i).includes(row))
  t.ok(
    exact.length > 0 && repeats.length > exact.length,
    `${repeats.length} repeated rows, ${exact.length} of them exact`
  )
  t.ok(rows.filter((row, i) => i > 0 && row.time < rows[i - 1]!.time - 120_000).length > 5, 'some rows are late')
  const times = [...clean(rows, series).keys()]
  const gaps = times.map((at, i) => at - (times[i - 1] ?? -1) - 1).filter((gap) => gap > 0)
  t.ok(gaps.length >= 2 && gaps.every((gap) => gap >= 2 && gap <= 36), `gaps of ${gaps.join(', ')} observations`)
  t.equal(
    JSON.stringify(addDirt(series, createRandom('dirt'))),
    JSON.stringify(rows),
    'and the same dirt for the same seed'
  )
  t.end()
})

t.test('without dirt the rows are the series', (t) => {
  const none = Object.fromEntries(
    Object.keys(DIRT_DEFAULTS).map((rate) => [rate, 0])
  ) as unknown as typeof DIRT_DEFAULTS
  const rows = addDirt(series, createRandom('dirt'), none)
  t.equal(rows.length, series.length)
  t.ok(rows.flatMap(({ values }) => [...values]).every((value, i) => value === series.values[i]))
  t.ok(rows.every(({ time }, i) => time === timeOf(series, i)))
  t.end()
})

t.test('files are a table for each turbine, the labels, feedback and a README', (t) => {
  const options = { turbines: 2, days: 14, trainingDays: 5, seed: 'files' }
  const files = farmFiles(options)
  t.strictSame([...files.keys()], ['README.md', 'labels.csv', 'feedback.csv', 'turbines/T01.csv', 'turbines/T02.csv'])
  const table = files.get('turbines/T01.csv')!
  const [header, ...lines] = table.trimEnd().split('\n')
  t.equal(header, `timestamp,${CHANNELS.join(',')}`)
  const value = (decimals: number): string => `(-?\\d+\\.\\d{${decimals}})?`
  const line = new RegExp(
    `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ,${[2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 3].map(value).join(',')}$`
  )
  t.strictSame(lines.filter((text) => !line.test(text)), [], 'every line has a time in UTC and fixed decimals')
  t.notMatch(table, /,-0\.0+(,|$)/m, 'and no negative zero')
  t.ok(lines.some((text) => text.includes(',,')), 'a missing value is an empty field')

  const [labelHeader, ...labels] = files.get('labels.csv')!.trimEnd().split('\n')
  t.equal(labelHeader, 'turbine,fault,channel,start,end')
  t.equal(labels.length, simulateFarm(options).labels.length)
  for (const label of labels) {
    t.match(label, /^T0[12],[a-z-]+,[a-z_]+,2026-01-\d\dT\d\d:\d0:00Z,2026-01-\d\dT\d\d:\d0:00Z$/)
  }
  t.equal(files.get('feedback.csv'), 'series,start,end,label\n', 'nobody has said anything')
  t.match(files.get('README.md'), /2 wind turbines.*14 days from 2026-01-01T00:00:00Z/s)
  t.match(files.get('README.md'), 'Apache-2.0')
  t.end()
})

t.test('the same seed gives the same bytes, another seed others', (t) => {
  const options = { turbines: 1, days: 6, trainingDays: 6 }
  t.strictSame(farmFiles(options), farmFiles({ ...options, seed: WIND_FARM_DEFAULTS.seed }))
  t.not(farmFiles(options).get('turbines/T01.csv'), farmFiles({ ...options, seed: 'other' }).get('turbines/T01.csv'))
  t.end()
})
