// Accuracy on public benchmarks, trained only on each file's training prefix:
// `npm run bench:accuracy -- --data <folder>`.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { ARCHITECTURE_NAMES } from '../model-creation/architectures/index.ts'
import { type Half, listFiles, readFileOf } from './datasets.ts'
import { type FileOutcome, outcomeOf, type Protocol, summarise } from './outcomes.ts'
import { type Architecture, scoreFile } from './scoring.ts'
import { bareName, compare, readTables, type Table } from './tables/published.ts'
import { type Track, writeSubmission } from './tables/submission.ts'

interface Flags {
  data: string
  json?: boolean
  half: Half
  architecture: Architecture
  against?: Architecture
  intervals?: boolean
  published: string[]
  submission?: string
}

/** The name in TSB-AD's tables. */
const ALGORITHM = 'ae-anomaly-detection'

const architectures = [...ARCHITECTURE_NAMES, 'ensemble']

const flags = new Command('npm run bench:accuracy --')
  .requiredOption('--data <folder>', 'folder with any of skab/, tsb-ad-u/, tsb-ad-m/')
  .option('--json', 'one JSON document on stdout')
  .addOption(
    new Option('--half <name>', 'even-indexed files are for development, odd-indexed ones for reporting').choices([
      'development',
      'report',
      'all',
    ]).default('all')
  )
  .addOption(new Option('--architecture <name>').choices(architectures).default('ensemble'))
  .addOption(
    new Option('--against <name>', 'another architecture to compare with on the same files').choices(
      architectures
    )
  )
  .option('--intervals', '95 % intervals of F1 or VUS-PR, by resampling the files')
  .option(
    '--published <file>',
    "a table of others' VUS-PR for each file, to compare with in pairs; may be repeated",
    (file: string, files: string[]) => [...files, file],
    []
  )
  .option('--submission <folder>', "write VUS-PR for each file into this folder, in the form of TSB-AD's tables")
  .parse().opts<Flags>()

const published = await readTables(flags.published)

/** A file's outcome for a line of progress. */
function outcomeText (protocol: Protocol, { batch, causal }: FileOutcome): string {
  return protocol === 'skab' ? '' : `batch ${batch.vusPr.toFixed(3)} causal ${causal.vusPr.toFixed(3)}`
}

/** VUS-PR by scoring and file. */
function tableOf (names: readonly string[], outcomes: readonly FileOutcome[]): Table {
  return new Map((['batch', 'causal'] as const).map((scoring) => [
    `${ALGORITHM} (${scoring})`,
    new Map(names.map((name, i) => [bareName(name), outcomes[i]![scoring].vusPr])),
  ]))
}

/** Writes the table of one set, and compares it with the published ones. */
async function publish (track: Track, table: Table): Promise<Record<string, unknown>> {
  if (flags.submission !== undefined) {
    process.stderr.write(`${await writeSubmission(flags.submission, track, table)}\n`)
  }
  if (published.size === 0) return {}
  return { against: Object.fromEntries([...table].map(([name, figures]) => [name, compare(figures, published)])) }
}

async function measureFolder (folder: string, protocol: Protocol): Promise<Record<string, unknown>> {
  const outcomes: FileOutcome[] = []
  const others: FileOutcome[] = []
  const names = await listFiles(folder, flags.half)
  let track: Track = 'uni'
  for (const name of names) {
    const file = await readFileOf(folder, name)
    if (file.series.channels.length > 1) track = 'multi'
    outcomes.push(outcomeOf(protocol, file, await scoreFile(flags.architecture, file)))
    if (flags.against !== undefined) others.push(outcomeOf(protocol, file, await scoreFile(flags.against, file)))
    process.stderr.write(`${name} ${outcomeText(protocol, outcomes.at(-1)!)}\n`)
  }
  return {
    ...summarise(outcomes, { protocol, intervals: flags.intervals ?? false, against: flags.against && others }),
    ...protocol === 'tsb-ad' && await publish(track, tableOf(names, outcomes)),
  }
}

const entries = await readdir(flags.data, { withFileTypes: true })
const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()
const results: Record<string, unknown> = {}
for (const folder of folders) {
  if ((await listFiles(join(flags.data, folder), flags.half)).length > 0) {
    results[folder] = await measureFolder(join(flags.data, folder), folder === 'skab' ? 'skab' : 'tsb-ad')
  }
}
if (flags.json) console.log(JSON.stringify(results))
else console.dir(results, { depth: null })
