// Small labelled series such as people post first, through the core: `npm run -s bench:first-tries [-- --failures]`.
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { Problem } from '../core/errors.ts'
import { type Scoring } from '../core/scoring/detection.ts'
import { type Case, casesOf, outsideKinds, ownKinds } from './first-tries/cases.ts'
import { detect, type Interval } from './first-tries/detect.ts'
import { falseAlarms, judgeCase, type Outcome, summarise, type Summary } from './first-tries/judge.ts'

interface Flags {
  set: string
  seeds: number
  scoring: Scoring | 'both'
  kind?: string
  kinds?: string
  failures?: boolean
  json?: boolean
}

const flags = new Command('npm run -s bench:first-tries --')
  .option('--set <name>', 'the cases are drawn from this name', 'dev')
  .option('--seeds <number>', 'series of each kind', Number, 4)
  .addOption(new Option('--scoring <name>').choices(['batch', 'causal', 'both']).default('both'))
  .option('--kind <name>', 'only this kind')
  .option('--kinds <file>', 'a module that exports KINDS, instead of the kinds of this project')
  .option('--failures', 'print each case that is not clean')
  .option('--json', 'one JSON document on stdout')
  .parse().opts<Flags>()

/** Causal scoring fits on the first half; with fewer rows than this in it, a case is left out. */
const LEAST_HALF = 12

interface Tried {
  readonly one: Case
  readonly findings: readonly Interval[]
  readonly outcome: Outcome
}

async function tryCase (one: Case, scoring: Scoring): Promise<Tried> {
  try {
    const half = scoring === 'causal' ? Math.floor(one.series.length / 2) : undefined
    const { anomalies } = await detect(one.series, scoring, half)
    return { one, findings: anomalies, outcome: judgeCase(one, anomalies) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { one, findings: [], outcome: judgeCase(one, [], error.code) }
  }
}

/** Outcomes by kind, in the order of the cases. */
function byKind (tried: readonly Tried[]): Map<string, Outcome[]> {
  const kinds = new Map<string, Outcome[]>()
  for (const { one, outcome } of tried) kinds.set(one.kind, [...kinds.get(one.kind) ?? [], outcome])
  return kinds
}

const HEAD = '| kind | cases | found % | stray | clean % | IoU | width | first channel % | refused |\n' +
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|'

function lineOf (name: string, { cases, found, stray, clean, iou, width, blamed, refused }: Summary): string {
  const text = (value: number, digits: number): string => Number.isNaN(value) ? '–' : value.toFixed(digits)
  const cells = [text(found, 0), text(stray, 2), text(clean, 0), text(iou, 2), text(width, 1), text(blamed, 0)]
  return `| ${[name, cases, ...cells, refused].join(' | ')} |`
}

function printTable (scoring: Scoring, tried: readonly Tried[]): void {
  const outcomes = tried.map(({ outcome }) => outcome)
  const { intervals, rows } = falseAlarms(outcomes)
  console.log(`\n${scoring}\n\n${HEAD}`)
  for (const [kind, some] of byKind(tried)) console.log(lineOf(kind, summarise(some)))
  console.log(lineOf('all', summarise(outcomes)))
  console.log(
    `\nFalse alarms per 1,000 rows of healthy kinds: ${intervals.toFixed(2)}, ${rows.toFixed(1)} rows long in all.`
  )
}

function printFailures (tried: readonly Tried[]): void {
  const rowsOf = ({ from, to, channels, kind }: Omit<Interval, 'kind'> & { kind?: string }): string =>
    `${from}–${to} ${[...channels.slice(0, 3), ...kind === undefined ? [] : [`(${kind})`]].join(' ')}`
  for (const { one, findings, outcome } of tried.filter(({ outcome }) => !outcome.clean)) {
    const missed = outcome.labels.filter(({ found }) => !found).length
    console.log(`\n${one.id}, ${outcome.rows} rows: ${outcome.refused ?? `${missed} missed, ${outcome.stray} stray`}`)
    console.log(`  labels: ${one.labels.map(rowsOf).join(', ') || 'none'}`)
    console.log(`  found:  ${findings.map(rowsOf).join(', ') || 'none'}`)
  }
}

/** NaN, where there was nothing to count, is null. */
function documentOf (tried: readonly Tried[]): Record<string, unknown> {
  const outcomes = tried.map(({ outcome }) => outcome)
  return {
    all: summarise(outcomes),
    falseAlarmsPer1000Rows: falseAlarms(outcomes),
    kinds: Object.fromEntries([...byKind(tried)].map(([kind, some]) => [kind, summarise(some)])),
  }
}

const kinds = flags.kinds === undefined ? ownKinds() : await outsideKinds(resolve(flags.kinds))
const names = [...kinds.keys()].filter((name) => flags.kind === undefined || name === flags.kind)
if (names.length === 0) throw new Error(`There is no kind "${flags.kind}"; kinds: ${[...kinds.keys()].join(', ')}`)
const cases = casesOf(new Map(names.map((name) => [name, kinds.get(name)!])), flags.set, flags.seeds)

const documents: Record<string, unknown> = { set: flags.set, seeds: flags.seeds }
for (const scoring of ['batch', 'causal'] as const) {
  if (flags.scoring !== 'both' && flags.scoring !== scoring) continue
  const tried: Tried[] = []
  for (const one of cases) {
    if (scoring === 'causal' && one.series.length < 2 * LEAST_HALF) continue
    tried.push(await tryCase(one, scoring))
  }
  documents[scoring] = documentOf(tried)
  if (!flags.json) printTable(scoring, tried)
  if (flags.failures) printFailures(tried)
}
if (flags.json) console.log(JSON.stringify(documents))
