// `npm run compare -- <package> [package...]`: judges model packages on the same test part, and prints the results as
// JSON.
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { Problem } from '../core/errors.ts'
import { selectChannels } from '../core/series/series.ts'
import { loadModelPackage, type ModelPackage } from '../adapters/tfjs/model-package.ts'
import {
  outcomeOf,
  pointMetrics,
  readRules,
  readTestPart,
  type Rules,
  type Scored,
  scoreTestPart,
  type TestPart,
} from './stages/judge.ts'
import { readParams } from './settings/params.ts'
import { FARM_PARAMS, FARM_PATHS } from './settings/paths.ts'
import { isProgram, runReporting } from './stages/stage.ts'

/** The result of one scoring of a package. */
interface Result {
  /** Labelled faults that were found. */
  readonly found: number
  /** All labelled faults. */
  readonly faults: number
  readonly falseAnomaliesPerSeriesWeek: number
  /** By observation; null without labels. */
  readonly f1: number | null
  readonly vusPr: number | null
}

export interface Comparison {
  /** Judged weeks, summed over the series. */
  readonly seriesWeeks: number
  readonly packages: ReadonlyArray<
    { readonly name: string, readonly digest: string, readonly batch: Result, readonly causal: Result }
  >
}

interface Flags {
  prepared: string
  labels: string
  feedback: string
  params: string
  out?: string
}

const command = (): Command => new Command('npm run compare --')
  .description('Judges model packages on the same test part, and prints the results as JSON.')
  .argument('<packages...>', 'folders of model packages')
  .option('--prepared <folder>', 'output of the stage prepare', FARM_PATHS.prepared)
  .option('--labels <file>', 'known anomalies', FARM_PATHS.labels)
  .option('--feedback <file>', 'feedback on intervals', FARM_PATHS.feedback)
  .option('--params <file>', 'its section evaluate defines which faults count as found', FARM_PARAMS)
  .option('--out <file>', 'write the JSON here instead')

/** @throws Problem no-training-data without a test part; invalid-settings if a package does not fit its series */
async function compare (
  folders: readonly string[],
  { prepared, labels, feedback, params }: Flags
): Promise<Comparison> {
  const test = await readTestPart({ prepared, labels, feedback })
  if (test.series.every(({ judged }) => judged.length === 0)) {
    throw new Problem(
      'no-training-data',
      `There is no test part in ${prepared} to compare on; set prepare.trainUntil to hold one back.`
    )
  }
  const rules = readRules((await readParams(params)).evaluate, test.interval)
  const packages: Array<Comparison['packages'][number]> = []
  let seriesWeeks = 0
  for (const folder of folders) {
    const model = await loadModelPackage(folder, 'auto')
    try {
      const scored = scoreTestPart(testFor(folder, model, test), model.manifest.detector, model.autoencoders)
      const [batch, causal] = scored.map(([, series]) => resultOf(series, rules)) as [Result, Result]
      packages.push({ name: model.manifest.name, digest: model.digest, batch, causal })
      seriesWeeks = outcomeOf(scored[0]![1], rules, 1).weeks
    } finally {
      model.dispose()
    }
  }
  return { seriesWeeks, packages }
}

/** The test part with its channels in the package's order. */
function testFor (
  folder: string,
  { manifest: { detector: { channels, interval } } }: ModelPackage,
  test: TestPart
): TestPart {
  const differing = [
    ...channels.filter((name) => !test.channels.includes(name)),
    ...test.channels.filter((name) => !channels.includes(name)),
  ]
  if (differing.length > 0 || interval !== test.interval) {
    const why = differing.length > 0
      ? `its channels and those of the test part differ in ${differing.slice(0, 10).join(', ')}`
      : `its sampling interval is ${interval} ms, that of the test part ${test.interval} ms`
    throw new Problem(
      'invalid-settings',
      `${folder} cannot be compared: ${why}. ` +
        'Promote models of other channels or intervals by hand: npm run models -- promote.'
    )
  }
  return {
    ...test,
    series: test.series.map(({ series, ...rest }) => ({ ...rest, series: selectChannels(series, channels) })),
  }
}

function resultOf (scored: readonly Scored[], rules: Rules): Result {
  const { findings, falseAnomalies, weeks } = outcomeOf(scored, rules, 1)
  const { f1, vusPr } = pointMetrics(scored)
  return {
    found: findings.filter(({ found }) => found).length,
    faults: findings.length,
    falseAnomaliesPerSeriesWeek: falseAnomalies / weeks,
    f1: findings.length === 0 ? null : f1,
    vusPr: findings.length === 0 ? null : vusPr,
  }
}

/** The command. */
export async function main (args: readonly string[], print: (text: string) => void): Promise<void> {
  const parsed = command().parse(args, { from: 'user' })
  const flags = parsed.opts<Flags>()
  const text = `${JSON.stringify(await compare(parsed.args, flags), null, 2)}\n`
  if (flags.out === undefined) print(text)
  else await writeFile(flags.out, text)
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
