// The report of a retraining for people: what happened, every decision, and its reason. Pure.
import { type Judged, type JudgedPackage, short } from './rule.ts'
import type { State } from './state.ts'

/** The outcome, in a sentence or two. */
export function outcome ({ model, registry, evaluate, publish, failure }: State): string {
  if (failure !== undefined) return `Failed at ${failure.step}: ${failure.message} The live model is what it was.`
  if (evaluate === undefined) return 'Not evaluated yet.'
  const { decision: { verdict, because }, live } = evaluate
  if (publish === undefined) {
    return `${{ promote: 'To be promoted', keep: 'Not to be promoted', same: 'Nothing to do' }[verdict]}: ${because}`
  }
  if (verdict === 'same') return `Nothing new: ${model}@${publish.version} is live in ${registry} already.`
  const state = publish.existed ? 'had been published before' : 'is published'
  const published = `${model}@${publish.version} ${state} in ${registry}`
  if (publish.promoted) return `${published}, and live: ${because}`
  const kept = live === null ? 'nothing' : `version ${live.version}`
  return `${published}, and not promoted; ${kept} stays live: ${because}`
}

export function reportMarkdown (state: State): string {
  const sections = [dataSection(state), trainingSection(state), comparisonSection(state), ruleSection(state)]
    .flatMap((text) => text ?? [])
  return [`# Retraining of ${state.model}`, outcome(state), ...sections].join('\n\n') + '\n'
}

const table = (header: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [header, header.map(() => '---'), ...rows].map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  ).join('\n')

function dataSection ({ pull }: State): string | undefined {
  if (pull === undefined) return undefined
  const { source, data: { before, after }, feedback: { statements, dropped } } = pull
  const pinned = after === null
    ? 'Nothing pins the data: DVC was not used.'
    : before === after
      ? `The data are what they were: md5 \`${after}\`.`
      : `The data changed: md5 \`${before ?? 'none'}\` → \`${after}\`.`
  return `## Data\n\nFrom \`${source}\`. ${pinned}\n` +
    `${statements} statements of feedback; what they moved stands in the report on the quality of the data.` +
    (dropped > 0 ? ` ${dropped} more end before they begin and are left out.` : '')
}

function trainingSection ({ train }: State): string | undefined {
  if (train === undefined) return undefined
  const [ran, skipped] = [true, false].map((wanted) =>
    train.stages.filter((stage) => stage.ran === wanted).map(({ name }) => name)
  )
  const done = ran!.length === 0 ? 'No stage had to run' : `Ran: ${ran!.join(', ')}`
  const unchanged = skipped!.length === 0 ? '.' : `; unchanged: ${skipped!.join(', ')}.`
  return `## Training\n\n${done}${unchanged}\n\`${train.folder}\` is \`${train.digest}\`.`
}

const METRICS: ReadonlyArray<readonly [string, (judged: Judged) => string]> = [
  ['labelled faults found', ({ found, faults }) => `${found} of ${faults}`],
  ['false anomalies per series and week', ({ falseAnomaliesPerSeriesWeek }) => short(falseAnomaliesPerSeriesWeek)],
  ['F1 by observation', ({ f1 }) => f1 === null ? '–' : short(f1)],
  ['VUS-PR', ({ vusPr }) => vusPr === null ? '–' : short(vusPr)],
]

function comparisonSection ({ evaluate }: State): string | undefined {
  if (evaluate === undefined) return undefined
  const { comparison: { seriesWeeks, packages: [candidate, other] }, live } = evaluate
  const columns: ReadonlyArray<readonly [string, JudgedPackage]> = [
    ['new model', candidate!],
    ...(other === undefined ? [] : [[`live, version ${live?.version}`, other] as const]),
  ]
  const rows = (['batch', 'causal'] as const).flatMap((scoring) =>
    METRICS.map(([name, textOf]) => [scoring, name, ...columns.map(([, judged]) => textOf(judged[scoring]))])
  )
  const alone = live === null
    ? ' Nothing is live to compare with.'
    : other === undefined
      ? ' It is the live model itself.'
      : ''
  return `## Comparison\n\nOn the same ${short(seriesWeeks)} series-weeks that were held back.${alone}\n\n` +
    table(['scoring', '', ...columns.map(([name]) => name)], rows)
}

function ruleSection ({ evaluate }: State): string | undefined {
  if (evaluate === undefined) return undefined
  const { decision: { verdict, because, clauses } } = evaluate
  const decided = { promote: 'Promote', keep: 'Do not promote', same: 'Nothing to do' }[verdict]
  const head = `## Rule\n\n${decided}: ${because}`
  if (clauses.length === 0) return head
  const rows = clauses.map(({ says, holds, because: why }) => [says, holds ? 'yes' : 'no', why])
  return `${head}\n\n${table(['clause', 'holds', 'because'], rows)}`
}
