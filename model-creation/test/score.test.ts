// The scoring command: prints the scores of a file in three formats, and refuses files that do not fit.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readTable } from '../../core/table/csv.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { resample } from '../../core/series/resample.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { loadModelPackage } from '../../adapters/tfjs/model-package.ts'
import { runPipeline } from '../pipeline.ts'
import { silent } from '../stages/progress.ts'
import { main } from '../score.ts'
import {
  CHANNELS,
  FAULT,
  GERMAN,
  INTERVAL,
  plantParams,
  plantPaths,
  ROWS,
  tableText,
  timeAt,
  writePlant,
} from './fixture.ts'
import { runHere, runProgram } from './run-program.ts'

const root = t.testdir({})
const paths = plantPaths(join(root, 'plant'), join(root, 'out'))
await writePlant(paths.raw)
await runPipeline({ paths, params: plantParams(), progress: silent, table: {} })
const backend = await loadBackend('auto')
const file = join(paths.raw, 'A.csv')

/** The output of the command with these arguments, after that of the model. */
async function printed (...args: string[]): Promise<string> {
  let text = ''
  await main(['--model', paths.package, ...args], (printed) => { text += printed })
  return text
}

interface Printed {
  readonly imputed: Record<string, number[]>
  readonly start: string
  readonly score: Array<number | null>
  readonly isAnomaly: Array<boolean | null>
  readonly anomalies: Array<
    {
      start: string,
      end: string,
      peak: string,
      peakScore: number,
      kind: string,
      message: string,
      channels: Array<{ name: string, contribution: number }>,
    }
  >
}

const asJson = async (...args: string[]): Promise<Printed> => JSON.parse(await printed('--json', ...args)) as Printed

const withoutNaN = (scores: Float64Array): Array<number | null> =>
  Array.from(scores, (score) => Number.isNaN(score) ? null : score)

t.test('JSON holds exactly the scores of the package', async (t) => {
  const { series } = resample(readTable(await readFile(file, 'utf8')), {
    interval: INTERVAL,
    order: 'repair',
    maxObservations: 1000,
  })
  const loaded = await loadModelPackage(paths.package, 'auto')
  const [batch, causal] = [detectBatch, detectCausal].map((detect) =>
    withoutNaN(detect(loaded.manifest.detector, loaded.autoencoders, series).score)
  )
  loaded.dispose()
  const before = backend.tf.memory().numTensors
  const found = await asJson(file)
  t.equal(backend.tf.memory().numTensors, before, 'and no tensor is left behind')
  t.strictSame(found.score, batch)
  t.strictSame((await asJson(file, '--scoring', 'causal')).score, causal)
  t.equal(found.start, timeAt(0))
  t.equal(found.score.length, ROWS)
  t.strictSame(found.isAnomaly, found.score.map((score) => score === null ? null : score > 1))
  t.ok(causal!.slice(0, 5).every((score) => score === null) && causal![5] !== null, 'no verdict in warm-up')

  const inFault = found.anomalies.filter(({ start, end }) => start <= timeAt(FAULT.to) && end >= timeAt(FAULT.from))
  t.ok(inFault.length >= 1)
  const worst = found.anomalies.reduce((a, b) => a.peakScore > b.peakScore ? a : b)
  t.ok(inFault.includes(worst), 'the planted fault is the worst')
  t.strictSame(worst.channels.map(({ name }) => name).sort(), [...CHANNELS].sort())
  t.equal(worst.channels[0]!.name, 'oil_c', 'its channel comes first')
  t.ok(Math.abs(worst.channels.reduce((sum, { contribution }) => sum + contribution, 0) - 1) < 1e-9)
  t.ok(worst.peak >= worst.start && worst.peak <= worst.end)
})

t.test('the table shows the same anomalies as JSON', async (t) => {
  const { anomalies } = await asJson(file)
  const text = await printed(file)
  for (const { start, end, peak, peakScore, kind } of anomalies) {
    for (const cell of [start, end, peak, peakScore.toFixed(2), kind]) {
      t.match(text, cell)
    }
  }
  t.match(text, /oil_c \d+ %/)
  t.equal(anomalies.length, 1, 'by default, one event is one anomaly')
  t.equal(anomalies[0]!.kind, 'relation')
  const words = text.replaceAll(/[│\s]+/g, ' ')
  for (const { message } of anomalies) t.ok(words.includes(message), `${message} ${words}`)
  t.match(text, new RegExp(`\n${anomalies.length} anomal(y|ies) in ${ROWS} observations \\(${ROWS} scored\\)\n$`))
  const quiet = join(root, 'quiet.csv')
  await writeFile(quiet, tableText('B').split('\n').slice(0, 61).join('\n'))
  t.equal(await printed(quiet), '0 anomalies in 60 observations (60 scored)\n')
})

t.test('CSV has a line for each observation', async (t) => {
  const { score, isAnomaly, imputed } = await asJson(file, '--scoring', 'causal')
  const lines = (await printed('--csv', file, '--scoring', 'causal')).trimEnd().split('\n')
  t.equal(lines[0], 'timestamp,score,isAnomaly,imputed')
  const filled = (row: number): string => CHANNELS.filter((name) => imputed[name]!.includes(row)).join(';')
  t.strictSame(
    lines.slice(1),
    score.map((value, row) => `${timeAt(row)},${value ?? ''},${isAnomaly[row] ?? ''},${filled(row)}`)
  )
  t.ok(lines.some((line) => line.endsWith(',oil_c')), 'imputed values are marked')
})

t.test('short anomalies can be left out, and close ones joined', async (t) => {
  const all = (await asJson(file)).anomalies
  const length = ({ start, end }: typeof all[0]): number => (Date.parse(end) - Date.parse(start)) / INTERVAL + 1
  const long = (await asJson(file, '--min-duration', 'PT2H')).anomalies
  t.strictSame(long, all.filter((anomaly) => length(anomaly) >= 12))
  t.ok(long.length >= 1)
  t.strictSame((await asJson(file, '--min-duration', 'P2D')).anomalies, [])
  const joined = (await asJson(file, '--merge-gap', 'P4D')).anomalies
  t.equal(joined.length, 1)
  t.match(joined[0], { start: all[0]!.start, end: all.at(-1)!.end })
  t.ok((await asJson(file, '--merge-gap', 'PT1S')).anomalies.length >= all.length, 'no gap is that short')
})

t.test('the same table in another format and order of columns has the same scores', async (t) => {
  const german = join(root, 'german.csv')
  await writeFile(
    german,
    tableText('A', GERMAN).split('\n').map((line) => line.split(';').reverse().join(';')).join('\n')
  )
  t.strictSame(await asJson(german), await asJson(file))
  const flags = [
    '--delimiter',
    ';',
    '--decimal',
    ',',
    '--timestamp-column',
    'Zeit',
    '--timestamp-format',
    'dd.MM.yyyy HH:mm',
  ]
  t.strictSame(await asJson(german, ...flags), await asJson(file))
  await t.rejects(printed(german, '--timestamp-column', 'Uhrzeit'), { code: 'invalid-table', message: /"Uhrzeit"/ })
})

t.test('files that do not fit the model are refused', async (t) => {
  const other = join(root, 'other.csv')
  await writeFile(other, tableText('B').replace('oil_c', 'air_c'))
  await t.rejects(printed(other), { code: 'missing-channel', message: /"oil_c"/ })
  await writeFile(
    other,
    tableText('B').split('\n').map((line, i) => line === '' ? '' : `${line},${i === 0 ? 'label' : i % 2}`).join('\n')
  )
  t.match(await printed(other), /; not the model's channels: label\n$/, 'other columns are left out and named')
  await writeFile(other, tableText('B').split('\n').map((line) => line.split(',').slice(0, 3).join(',')).join('\n'))
  await t.rejects(printed(other), { code: 'missing-channel', message: /oil_c/ })
  await writeFile(other, tableText('B').split('\n').slice(0, 5).join('\n'))
  await t.rejects(printed(other, '--scoring', 'causal'), { code: 'series-too-short', message: /needs 6 in a row/ })
  await writeFile(other, tableText('B').split('\n').filter((_, i) => i % 6 === 0).join('\n'))
  await t.rejects(printed(other), { code: 'interval-mismatch', message: /PT1H.*PT10M/ })
  await t.rejects(printed(join(root, 'nowhere.csv')), { message: /nowhere\.csv/ })
  await t.rejects(printed(file, '--min-duration', 'short'), { message: /"short" is not a duration/ })
  await t.rejects(main(['--model', root, file], () => {}), { code: 'invalid-model-package', message: /cannot be read/ })
})

t.test('as a program: status 0 with or without anomalies, 1 with the reason on stderr', async (t) => {
  const model = ['--model', paths.package]
  const found = await runProgram('score.ts', [...model, '--json', file], root)
  const missing = await runHere(main, [...model, join(root, 'out', 'nowhere.csv')], root)
  const both = await runHere(main, [...model, '--json', '--csv', file], root)
  const no = await runHere(main, [file], root)
  t.equal(found.code, 0, found.stderr)
  t.equal(found.stderr, '')
  const here = await asJson(file)
  t.ok(
    (JSON.parse(found.stdout) as Printed).score.every((score, i) => Math.abs(score! - here.score[i]!) < 1e-4),
    'on any backend'
  )
  t.match(missing, { code: 1, stdout: '', stderr: /^error invalid-table: .*nowhere\.csv cannot be read/ })
  t.match(both, { code: 1, stdout: '', stderr: /'--json' cannot be used with option '--csv'/ })
  t.match(no, { code: 1, stdout: '', stderr: /required option '--model <dir>'/ })
})
