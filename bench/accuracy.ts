// Accuracy on public benchmarks, trained only on each file's training prefix:
// `npm run bench:accuracy -- --data <folder>`.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { ARCHITECTURE_NAMES } from '../model-creation/architectures/index.ts'
import { type Half, listFiles, readFileOf } from './datasets.ts'
import { type FileOutcome, outcomeOf, type Protocol, summarise } from './outcomes.ts'
import { type Architecture, scoreFile } from './scoring.ts'

interface Flags {
  data: string
  json?: boolean
  half: Half
  architecture: Architecture
  against?: Architecture
  intervals?: boolean
}

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
  .parse().opts<Flags>()

/** A file's outcome for a line of progress. */
function outcomeText (protocol: Protocol, { batch, causal }: FileOutcome): string {
  return protocol === 'skab' ? '' : `batch ${batch.vusPr.toFixed(3)} causal ${causal.vusPr.toFixed(3)}`
}

async function measureFolder (folder: string, protocol: Protocol): Promise<Record<string, unknown>> {
  const outcomes: FileOutcome[] = []
  const others: FileOutcome[] = []
  for (const name of await listFiles(folder, flags.half)) {
    const file = await readFileOf(folder, name)
    outcomes.push(outcomeOf(protocol, file, await scoreFile(flags.architecture, file)))
    if (flags.against !== undefined) others.push(outcomeOf(protocol, file, await scoreFile(flags.against, file)))
    process.stderr.write(`${name} ${outcomeText(protocol, outcomes.at(-1)!)}\n`)
  }
  return summarise(outcomes, { protocol, intervals: flags.intervals ?? false, against: flags.against && others })
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
