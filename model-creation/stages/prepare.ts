// Stage 1: puts raw tables on a regular grid, splits them by time, applies feedback, and reports on the quality of the
// data.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { formatDuration, parseDuration } from '../../core/table/duration.ts'
import { Problem } from '../../core/errors.ts'
import { slice } from '../../core/series/series.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { readFeedback, type Statement } from '../adapters/feedback-file.ts'
import { readLabels } from '../adapters/label-files.ts'
import { listCsvFiles, type NamedSeries, replaceDirectory, writeSeries } from '../adapters/series-files.ts'
import {
  type FileReport,
  inspect,
  intervalOf,
  movedText,
  type RawFile,
  readRawFile,
  writeQualityReport,
} from './data-quality.ts'
import { type Applied, applyFeedback, marksOf, type Moved, spanOf } from './feedback.ts'
import { runAsProgram, type StageContext } from './stage.ts'

/** Facts about the prepared data for the next stages; prepared/prepared.json. */
export const PreparedSchema = z.strictObject({
  interval: z.number().int().positive(),
  channels: z.array(z.string()),
  dataSha256: z.string(),
  /** Intervals of the test part that feedback moved into the training data; both ends inclusive. */
  learnt: z.array(z.strictObject({ series: z.string(), start: z.number(), end: z.number() })),
})

type Learnt = z.output<typeof PreparedSchema>['learnt']

export async function prepare ({ paths, params, progress, table }: StageContext): Promise<void> {
  progress.stage('prepare')
  const raws = await readRaw(paths.raw, table)
  const interval = params.prepare.interval === 'auto' ? intervalOf(raws[0]!) : parseDuration(params.prepare.interval)
  const until = params.prepare.trainUntil === null ? Infinity : Date.parse(params.prepare.trainUntil)
  const backend = await loadBackend(params.train.backend)
  const statements = paths.feedback === undefined ? [] : await readFeedback(paths.feedback)
  const labels = paths.labels === undefined ? [] : await readLabels(paths.labels)
  const context = Math.ceil(parseDuration(params.prepare.feedbackContext) / interval)
  const reports: FileReport[] = []
  const learnt: Learnt = []
  await replaceDirectory(paths.prepared, async (directory) => {
    for (const raw of raws) {
      const { series, report } = await inspect(backend, raw, interval)
      const split = Math.min(series.length, Math.max(0, Math.ceil((until - series.start) / series.interval)))
      const named = { name: raw.name, series }
      const applied = applyFeedback(series, marksOf(named, statements), {
        split,
        labels: labels.filter((label) => label.series === raw.name),
        context,
      })
      await writeParts(directory, named, split, applied)
      learnt.push(...applied.learnt.map((piece) => ({ series: raw.name, ...spanOf(piece) })))
      reports.push(statements.length === 0 ? report : { ...report, feedback: applied.moved })
      progress.step(
        reports.length,
        raws.length,
        `${raw.name}: ${series.length} observations every ${formatDuration(interval)}`
      )
    }
    const prepared = { interval, channels: raws[0]!.table.channels, dataSha256: hashOf(raws, statements), learnt }
    await writeFile(join(directory, 'prepared.json'), `${JSON.stringify(prepared, null, 2)}\n`)
  })
  if (statements.length > 0) {
    progress.message(`feedback: ${movedText(sum(reports.flatMap(({ feedback }) => feedback ?? [])))}`)
  }
  await writeQualityReport(paths.reports, reports)
}

function sum (moves: readonly Moved[]): Moved {
  const total = (key: keyof Moved): number => moves.reduce((before, moved) => before + moved[key], 0)
  return {
    left: total('left'),
    entered: total('entered'),
    around: total('around'),
    contradicted: total('contradicted'),
  }
}

async function readRaw (path: string, options: StageContext['table']): Promise<RawFile[]> {
  const files = await listCsvFiles(path)
  if (files.length === 0) {
    throw new Problem(
      'no-training-data',
      `There is no .csv file in ${path}; make the example data with "npm run data", or name your own with --data.`
    )
  }
  const raws = await Promise.all(files.map(async (file) => readRawFile(file, options)))
  const channels = raws[0]!.table.channels.join(', ')
  const other = raws.find(({ table }) => table.channels.join(', ') !== channels)
  if (other !== undefined) {
    throw new Problem(
      'invalid-table',
      `${other.file} has the channels ${other.table.channels.join(', ')}, the first file has ${channels}; ` +
        'all files of a model need the same columns in the same order.'
    )
  }
  return raws
}

/** Writes the test part as a whole: scores behind a learnt piece still depend on that piece. */
async function writeParts (
  directory: string,
  { name, series: whole }: NamedSeries,
  split: number,
  { series, learnt }: Applied
): Promise<void> {
  const train = join(directory, 'train')
  if (split > 0) await writeSeries(train, { name, series: slice(series, 0, split) })
  if (split < whole.length) {
    await writeSeries(join(directory, 'test'), { name, series: slice(whole, split, whole.length) })
  }
  for (const [i, piece] of learnt.entries()) {
    await writeSeries(train, { name: `${name}.false-alarm-${i + 1}`, series: piece })
  }
}

/**
 * Hashes names and contents, not paths: the same data at another place has the same hash. Feedback counts only if there
 * is any.
 */
function hashOf (raws: readonly RawFile[], statements: readonly Statement[]): string {
  const hash = createHash('sha256')
  for (const { name, text } of raws) hash.update(`${name}\n${createHash('sha256').update(text).digest('hex')}\n`)
  if (statements.length > 0) hash.update(`feedback\n${JSON.stringify(statements)}\n`)
  return hash.digest('hex')
}

await runAsProgram(import.meta.url, prepare)
