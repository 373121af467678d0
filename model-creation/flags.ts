// The flags of all programs that accept the user's data: its place, the format of its tables, and its training part.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { Problem } from '../core/errors.ts'
import { type TableOptions } from '../core/table/csv.ts'
import { seriesName } from './adapters/series-files.ts'
import { type Params, parseParams, readParams } from './settings/params.ts'
import { FARM_PARAMS, FARM_PATHS } from './settings/paths.ts'
import { type StageContext } from './stages/stage.ts'

export interface DataFlags extends TableOptions {
  channels?: string
  exclude?: string
  data?: string
  params?: string
  name?: string
  architecture?: string
  interval?: string
  trainUntil?: string
}

export const addDataOption = (command: Command): Command =>
  command
    .option(
      '--data <path>',
      'a CSV file with a timestamp column and numeric channels, or a folder of such files (one series each)'
    )

export const addDataOptions = (command: Command): Command => command
  .option('--params <file>', 'YAML like model-creation/params.yaml; missing parameters have defaults')
  .option('--interval <duration>', 'sampling interval, e.g. PT10M; default: detected from the timestamps')
  .option('--train-until <time>', 'earlier observations train, later ones test; default: all train')
  .option('--channels <names>', 'columns to train on, separated by commas; default: all numeric ones')
  .option('--exclude <names>', 'columns to leave out, e.g. a label or a row number')
  .option('--delimiter <character>', 'delimiter of cells; default: detected')
  .addOption(new Option('--decimal <character>', 'decimal sign; default: detected').choices(['.', ',']))
  .option('--timestamp-column <name>', 'default: detected')
  .option('--timestamp-format <format>', 'Luxon format, e.g. "dd.MM.yyyy HH:mm"; default: detected')

/** The parameters for the user's data: those of the file or the defaults, changed by the flags. */
export async function ownParams (flags: DataFlags, data: string): Promise<Params> {
  const base = flags.params === undefined ? parseParams({}, 'defaults') : await readParams(flags.params)
  const name = flags.name ??
    seriesName(resolve(data)).toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+/, '').slice(0, 63)
  return parseParams({
    ...base,
    prepare: {
      ...base.prepare,
      ...(flags.interval && { interval: flags.interval }),
      ...(flags.trainUntil && { trainUntil: flags.trainUntil }),
    },
    train: { ...base.train, ...(flags.architecture && { architecture: flags.architecture }) },
    package: { ...base.package, name: name === '' ? 'model' : name },
  }, 'the flags', (path) => flagOf(String(path.at(-1))))
}

export function tableOf (
  { delimiter, decimal, timestampColumn, timestampFormat, channels, exclude }: DataFlags
): StageContext['table'] {
  const names = (list: string | undefined): string[] | undefined => list?.split(',').map((name) => name.trim())
  return { delimiter, decimal, timestampColumn, timestampFormat, channels: names(channels), exclude: names(exclude) }
}

/**
 * Checks that the wind farm can be trained on.
 * @param flag a flag that was given and that only data of one's own take, such as `trainUntil`
 * @param what what the farm's parameters configure, for the message
 * @throws Problem invalid-settings, no-training-data
 */
export function checkFarm (flag: string | undefined, what: 'model' | 'training'): void {
  if (flag !== undefined) {
    throw new Problem(
      'invalid-settings',
      `${flagOf(flag)} needs --data; only ${FARM_PARAMS} configures the wind farm's ${what}.`
    )
  }
  if (!existsSync(FARM_PATHS.raw)) {
    throw new Problem(
      'no-training-data',
      `There is no ${FARM_PATHS.raw}; make the farm's data with "npm run data", or name your own with --data.`
    )
  }
}

/** `--timestamp-column` for `timestampColumn`. */
export function flagOf (name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
