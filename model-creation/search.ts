// `npm run search`: finds settings for the user's data, and proposes lines for params.yaml. Uses only the training
// part, which has no labels: known kinds of anomalies are injected into a part of it that no candidate is fitted on.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import Table from 'cli-table3'
import { Command, InvalidArgumentError, Option } from 'commander'
import { stringify } from 'yaml'
import { Problem } from '../core/errors.ts'
import { createRandom } from '../core/random.ts'
import { HELD_OUT_SHARE } from '../core/sensitivity/held-out.ts'
import { type Series } from '../core/series/series.ts'
import { writeJsonReport } from './adapters/report-files.ts'
import { readSeriesFolder, withTemporaryFolder } from './adapters/series-files.ts'
import { ARCHITECTURE_NAMES } from './architectures/index.ts'
import { addDataOption, addDataOptions, checkFarm, type DataFlags, ownParams, tableOf } from './flags.ts'
import { type Params, readParams } from './settings/params.ts'
import { FARM_PARAMS, FARM_PATHS } from './settings/paths.ts'
import { prepare, PreparedSchema } from './stages/prepare.ts'
import { type Progress, terminalProgress } from './stages/progress.ts'
import { AS_IS, type Candidate, candidatesFor, smoothed } from './search/candidates.ts'
import { ANOMALY_LENGTHS } from './search/injections.ts'
import { type Course, layCourse, type Trial, tryOut } from './search/trial.ts'
import { isProgram, runReporting, type StageContext } from './stages/stage.ts'

/** How many of the first round's best candidates the second round tries with other smoothings. */
const REFINED = 2
/** Percentage of normal observations that an eligible candidate flags at most. */
const MOST_FLAGGED = 5
/** False anomalies per 1000 normal observations that are tolerated; more only if the current parameters make more. */
const TOLERATED = 0.5
/** Smaller differences in VUS-PR are not significant: too few anomalies are injected. */
const TIE = 0.01

const SEARCHABLE = [...ARCHITECTURE_NAMES, 'ensemble'] as const
type Searched = Params['train']['architecture']

export interface SearchOptions {
  /** Maximum number of candidates to try; at least one. */
  readonly candidates: number
  readonly architectures: readonly Searched[]
  /** Lengths of the injected anomalies, in observations. */
  readonly lengths: readonly number[]
}

export interface SearchResult {
  /** In the order of the search. */
  readonly trials: readonly Trial[]
  readonly chosen: Trial
  /** Lines for params.yaml; empty if the current parameters are best. */
  readonly lines: string
}

/**
 * Chooses the trial with the best VUS-PR among those without too many false alarms. Of equally good ones, prefers the
 * current parameters, then the narrowest windows.
 * @param trials at least one
 */
export function choose (trials: readonly Trial[]): Trial {
  const asIs = trials.find(({ candidate }) => candidate === AS_IS)
  const calm = trials.filter(({ flagged, falseAnomalies }) =>
    flagged <= MOST_FLAGGED && falseAnomalies <= Math.max(TOLERATED, asIs?.falseAnomalies ?? 0)
  )
  const eligible = calm.length > 0 ? calm : trials
  const best = Math.max(...eligible.map(({ vusPr }) => vusPr))
  const tied = eligible.filter(({ vusPr }) => vusPr >= best - TIE)
  return asIs !== undefined && tied.includes(asIs)
    ? asIs
    : tied.toSorted((a, b) => a.width - b.width || b.vusPr - a.vusPr)[0]!
}

/** Prepares the data, tries the candidates on the training part alone, and writes search.json. */
export async function search (
  context: StageContext,
  { candidates, architectures, lengths }: SearchOptions
): Promise<SearchResult> {
  const { paths, params, progress } = context
  const training = await trainingPart(context)
  progress.stage('search')
  const { seed } = params.train
  const course = layCourse(training, { seed, lengths })
  const observations = Math.max(...course.fitted.map(({ length }) => length))
  const grid = candidatesFor(
    architectures,
    observations,
    training[0]!.channels.length,
    createRandom(`search/${seed}/order`)
  )
  const refinements = Math.min(REFINED * smoothed(AS_IS, params.train).length, Math.floor(candidates / 3))
  const firstRound = grid.slice(0, Math.max(1, candidates - refinements))
  const total = Math.min(candidates, firstRound.length + refinements)
  const first = await tryAll(firstRound, course, context, { before: 0, total })
  const leading = first.toSorted((a, b) => b.vusPr - a.vusPr).slice(0, REFINED)
  const secondRound = leading.flatMap(({ candidate }) => smoothed(candidate, params.train)).slice(
    0,
    total - firstRound.length
  )
  const trials = [...first, ...await tryAll(secondRound, course, context, { before: firstRound.length, total })]
  if (trials.length === 0) throw new Problem('no-training-data', 'No candidate could be trained; train on more data.')
  const chosen = choose(trials)
  const result = {
    trials,
    chosen,
    lines: chosen.candidate === AS_IS ? '' : stringify({ train: chosen.candidate.change }),
  }
  await writeReport(join(paths.reports, 'search.json'), result, { seed, lengths, grid: grid.length })
  return result
}

/** The series on their grid, before prepare.trainUntil. Keeps its quality reports apart from those of training. */
async function trainingPart (context: StageContext): Promise<Series[]> {
  const { paths } = context
  await prepare({ ...context, paths: { ...paths, reports: join(paths.prepared, '..', 'quality') } })
  const { interval } = PreparedSchema.parse(JSON.parse(await readFile(join(paths.prepared, 'prepared.json'), 'utf8')))
  const training = (await readSeriesFolder(join(paths.prepared, 'train'), interval)).map(({ series }) => series)
  if (training.length === 0) {
    throw new Problem('no-training-data', 'No observation lies before prepare.trainUntil; choose a later time.')
  }
  return training
}

/** Tries the candidates, and leaves out those that cannot be trained. */
async function tryAll (
  round: readonly Candidate[],
  course: Course,
  { params, progress }: StageContext,
  { before, total }: { before: number, total: number }
): Promise<Trial[]> {
  const trials: Trial[] = []
  for (const [i, candidate] of round.entries()) {
    const outcome = await tryOut(course, params.train, candidate).catch(problemOf)
    if (!(outcome instanceof Problem)) trials.push(outcome)
    progress.step(
      before + i + 1,
      total,
      `${candidate.name}: ${outcome instanceof Problem ? outcome.message : `VUS-PR ${outcome.vusPr.toFixed(3)}`}`
    )
  }
  return trials
}

function problemOf (error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}

async function writeReport (path: string, { trials, chosen, lines }: SearchResult, facts: object): Promise<void> {
  await writeJsonReport(path, {
    ...facts,
    validationShare: HELD_OUT_SHARE,
    chosen: chosen.candidate.name,
    lines,
    candidates: trials.map(({ candidate, ...figures }) => ({ ...candidate, ...figures })),
  })
}

function resultText ({ trials, chosen, lines }: SearchResult): string {
  const table = new Table({
    head: ['candidate', 'VUS-PR', 'batch', 'causal', 'false per 1000', 'flagged %', 'values'],
    style: { head: [], border: [] },
  })
  for (const trial of trials.toSorted((a, b) => b.vusPr - a.vusPr)) {
    const { candidate, vusPr, batch, causal, falseAnomalies, flagged, width } = trial
    table.push([
      `${trial === chosen ? '→ ' : ''}${candidate.name}`,
      ...[vusPr, batch, causal].map((value) => value.toFixed(3)),
      falseAnomalies.toFixed(2),
      flagged.toFixed(1),
      width,
    ])
  }
  const advice = lines === ''
    ? 'Leave the parameters as they are: no candidate was significantly better without more false alarms.'
    : `Put into params.yaml:\n\n${lines}`
  return `${table.toString()}\nJudged by injected anomalies, not by real ones.\n${advice.trimEnd()}\n`
}

interface Flags extends DataFlags {
  out?: string
  candidates: number
  architectures: Searched[]
  lengths: readonly number[]
}

const manyAtLeastOne = (text: string): number[] => text.split(',').map(atLeastOne)

function atLeastOne (text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1) return count
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

function knownArchitectures (text: string): Searched[] {
  return text.split(',').map((name) => {
    const known = SEARCHABLE.find((searchable) => searchable === name.trim())
    if (known === undefined) throw new InvalidArgumentError(`It must be one of ${SEARCHABLE.join(', ')}.`)
    return known
  })
}

const command = (): Command =>
  addDataOptions(
    addDataOption(new Command('npm run search --'))
      .description(
        'Tries settings on the training part, and proposes lines for params.yaml: ' +
          "without --data for the wind farm's data, with --data for your own."
      )
      .option('--out <dir>', 'folder that reports/search.json goes to (needed with --data)')
      .addOption(new Option('--candidates <n>', 'maximum number of settings to try').default(32).argParser(atLeastOne))
      .addOption(
        new Option('--architectures <names>', 'which to try; those that gradient descent trains take minutes each')
          .default(['linear', 'masked', 'ensemble'], 'linear,masked,ensemble').argParser(knownArchitectures)
      )
      .addOption(
        new Option('--lengths <observations>', 'lengths of the anomalies to find').default(
          ANOMALY_LENGTHS,
          ANOMALY_LENGTHS.join(',')
        ).argParser(manyAtLeastOne)
      )
  )

/** Flags of the search itself; all others describe the data. */
const SEARCH_FLAGS = new Set(['candidates', 'architectures', 'lengths'])

async function contextOf (
  flags: Flags,
  given: readonly string[],
  work: string,
  progress: Progress
): Promise<StageContext> {
  const prepared = join(work, 'prepared')
  if (flags.data === undefined) {
    checkFarm(given.find((name) => !SEARCH_FLAGS.has(name)), 'training')
    return { paths: { ...FARM_PATHS, prepared }, params: await readParams(FARM_PARAMS), progress, table: {} }
  }
  return {
    paths: {
      ...FARM_PATHS,
      raw: flags.data,
      labels: undefined,
      feedback: undefined,
      prepared,
      reports: join(reportsFolder(flags), 'reports'),
    },
    params: await ownParams(flags, flags.data),
    progress,
    table: tableOf(flags),
  }
}

/** The folder that the temporary folder lies beside. @throws Problem invalid-settings without --out */
function reportsFolder ({ data, out }: Flags): string {
  if (data === undefined) return resolve(FARM_PATHS.reports, '..')
  if (out === undefined) {
    throw new Problem('invalid-settings', '--data needs --out: the folder that reports/search.json goes to.')
  }
  return resolve(out)
}

/** The command. Prints a table and the proposal. */
export async function main (args: readonly string[], print: (text: string) => void, progress: Progress): Promise<void> {
  const parsed = command().parse(args, { from: 'user' })
  const flags = parsed.opts<Flags>()
  const given = Object.keys(flags).filter((name) => parsed.getOptionValueSource(name) === 'cli')
  try {
    const result = await withTemporaryFolder(
      join(reportsFolder(flags), 'search'),
      async (work) => search(await contextOf(flags, given, work, progress), flags)
    )
    print(resultText(result))
  } finally {
    progress.close()
  }
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => main(process.argv.slice(2), (text) => process.stdout.write(text), terminalProgress()))
}
