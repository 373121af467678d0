// Step 1: fetches fresh data and people's feedback on earlier anomalies, and pins them with DVC.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { Problem } from '../../core/errors.ts'
import { listFeedback } from '../../adapters/registry/feedback.ts'
import type { Feedback } from '../../adapters/registry/records.ts'
import { LIMITS, pinnedMd5, PLACES, runDvc, runOwn, type StepContext } from './context.ts'
import { before, type State } from './state.ts'

/** `dvc` pulls what data.dvc pins; `here` takes the data in the folder; the others are sources of `npm run data`. */
export const SOURCES = ['dvc', 'here', 'farm', 'influx', 'minio'] as const

export interface PullOptions {
  readonly source: typeof SOURCES[number]
  /** Arguments for `npm run data`. */
  readonly args: readonly string[]
}

export async function pull (context: StepContext, state: State, { source, args }: PullOptions): Promise<State> {
  const { dvc } = context
  const md5 = await pinnedMd5()
  await fetchData(context, { source, args })
  const feedback = await exportFeedback(context)
  await ensure(PLACES.labels, 'series,fault,start,end\n')
  if (dvc !== undefined) await runDvc(context, dvc, ['add', PLACES.data], LIMITS.quick)
  return {
    ...before('pull', state),
    pull: {
      at: context.now(),
      source: [source, ...args].join(' '),
      data: dvc === undefined ? { before: null, after: null } : { before: md5, after: await pinnedMd5() },
      feedback,
    },
  }
}

async function fetchData (context: StepContext, { source, args }: PullOptions): Promise<void> {
  if (source === 'dvc') {
    if (context.dvc === undefined) {
      throw new Problem(
        'invalid-settings',
        '--from dvc needs DVC; leave --no-dvc out, or take the data in the folder: --from here.'
      )
    }
    await runDvc(context, context.dvc, ['pull', PLACES.pin], LIMITS.pull)
  } else if (source !== 'here') {
    await runOwn(context, 'data', ['--from', source, ...args], LIMITS.pull)
  }
}

/**
 * Writes the feedback of the registry to the file that `prepare` reads. Without feedback, the file does not change: a
 * person may have written it.
 */
async function exportFeedback ({ store, model }: StepContext): Promise<{ statements: number, dropped: number }> {
  const all = await listFeedback(store, model)
  const whole = all.filter(({ start, end }) => Date.parse(start) <= Date.parse(end))
  if (all.length === 0) await ensure(PLACES.feedback, feedbackTable([]))
  else await replace(PLACES.feedback, feedbackTable(whole))
  return { statements: whole.length, dropped: all.length - whole.length }
}

const utc = (time: string): string => new Date(time).toISOString()

/** In order of time: if an observation has several statements, the last one counts. */
export function feedbackTable (statements: readonly Feedback[]): string {
  const rows = statements.map(({ series = '', start, end, label }) => [series, utc(start), utc(end), label])
  return `${Papa.unparse([['series', 'start', 'end', 'label'], ...rows], { newline: '\n' })}\n`
}

/** Writes the file if it does not exist: fetched data are series only. */
async function ensure (file: string, text: string): Promise<void> {
  await mkdir(PLACES.data, { recursive: true })
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

async function replace (file: string, text: string): Promise<void> {
  await mkdir(PLACES.data, { recursive: true })
  if (await readFile(file, 'utf8').catch(() => undefined) !== text) await writeFile(file, text)
}
