// `npm run train`: runs the four stages in order, without DVC, on the farm's data or the user's. Prints the package's
// digest.
import { rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { Problem } from '../core/errors.ts'
import { givenEnvironment } from '../adapters/settings/environment.ts'
import { readFeedback } from './adapters/feedback-file.ts'
import { readLabels } from './adapters/label-files.ts'
import { trackingServer } from './adapters/mlflow.ts'
import { withTemporaryFolder } from './adapters/series-files.ts'
import { evaluate } from './stages/evaluate.ts'
import { addDataOption, addDataOptions, checkFarm, type DataFlags, ownParams, tableOf } from './flags.ts'
import { packageModel, refuseForeignFolder } from './stages/package.ts'
import { ARCHITECTURE_CHOICES, readParams } from './settings/params.ts'
import { FARM_PARAMS, FARM_PATHS, type PipelinePaths } from './settings/paths.ts'
import { prepare } from './stages/prepare.ts'
import { type Progress, terminalProgress } from './stages/progress.ts'
import { isProgram, runReporting, type StageContext } from './stages/stage.ts'
import { train } from './stages/train.ts'

/** prepare → train → evaluate → package. @returns the package's digest */
export async function runPipeline (context: StageContext): Promise<string> {
  // Check first what would otherwise fail after the training.
  await refuseForeignFolder(context.paths.package)
  await trackingServer(givenEnvironment())?.experiment(context.params.package.name)
  if (context.paths.labels !== undefined) await readLabels(context.paths.labels)
  if (context.paths.feedback !== undefined) await readFeedback(context.paths.feedback)
  await prepare(context)
  await train(context)
  await evaluate(context)
  return packageModel(context)
}

interface Flags extends DataFlags {
  out?: string
  labels?: string
  feedback?: string
}

const command = (): Command =>
  addDataOptions(
    addDataOption(new Command('npm run train --'))
      .description(
        "Trains a model and writes its package: without --data the wind farm's, with --data your own."
      )
      .option('--out <dir>', 'folder of the package (needed with --data)')
      .option(
        '--labels <file>',
        'known anomalies: CSV with the columns series (name of the file without .csv), fault, start, end'
      )
      .option(
        '--feedback <file>',
        'feedback on intervals: CSV with the columns series (empty: all), start, end, ' +
          'label (confirmed, missed or false-alarm)'
      )
      .option('--name <name>', 'name of the model; default: the name of the data')
      .addOption(
        new Option('--architecture <name>', 'kind of autoencoder; default: an ensemble').choices(
          ARCHITECTURE_CHOICES
        )
      )
  )

function ownPaths (data: string, out: string, { labels, feedback }: Flags, work: string): PipelinePaths {
  return {
    raw: data,
    labels,
    feedback,
    prepared: join(work, 'prepared'),
    model: join(work, 'model'),
    reports: join(work, 'reports'),
    package: out,
  }
}

/** The command. Its last line is the package's digest. */
export async function main (args: readonly string[], print: (text: string) => void, progress: Progress): Promise<void> {
  const flags = command().parse(args, { from: 'user' }).opts<Flags>()
  try {
    const digest = flags.data === undefined
      ? await trainFarm(flags, progress)
      : await trainOwn(flags, flags.data, progress)
    print(`digest ${digest}\n`)
  } finally {
    progress.close()
  }
}

/** Trains the farm's model, the one that `npm start` serves. */
async function trainFarm (flags: Flags, progress: Progress): Promise<string> {
  checkFarm(Object.keys(flags)[0], 'model')
  return runPipeline({ paths: FARM_PATHS, params: await readParams(FARM_PARAMS), progress, table: {} })
}

async function trainOwn (flags: Flags, data: string, progress: Progress): Promise<string> {
  if (flags.out === undefined) {
    throw new Problem('invalid-settings', '--data needs --out: the folder that the model package goes to.')
  }
  const out = resolve(flags.out)
  await refuseForeignFolder(out)
  const params = await ownParams(flags, data)
  return withTemporaryFolder(out, async (work) => {
    const paths = ownPaths(data, out, flags, work)
    const digest = await runPipeline({ paths, params, progress, table: tableOf(flags) })
    await rename(paths.reports, join(out, 'reports'))
    return digest
  })
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => main(process.argv.slice(2), (text) => process.stdout.write(text), terminalProgress()))
}
