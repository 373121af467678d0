// `npm run data`: writes the folder that the pipeline trains on, with the simulated wind farm or with series fetched
// from InfluxDB or an object store.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { z } from 'zod'
import { parseDuration } from '../core/table/duration.ts'
import { Problem } from '../core/errors.ts'
import { influxAccess } from '../adapters/influx/access.ts'
import { storeAccess } from '../adapters/s3/access.ts'
import { type Environment, readEnvironment } from '../adapters/settings/environment.ts'
import { farmFiles, type FarmFiles } from '../simulator/files.ts'
import { WIND_FARM_DEFAULTS, type WindFarmOptions } from '../simulator/simulate.ts'
import { dvcFolderHash, fileHash, hashFolder } from './adapters/dvc-hash.ts'
import { type InfluxSelection, InfluxSource } from './adapters/influx.ts'
import { storeLocation, StoreSource } from './adapters/object-store.ts'
import { replaceDirectory } from './adapters/series-files.ts'
import { flagOf } from './flags.ts'
import { type Fetch, fromInflux, fromStore, ingest } from './ingest.ts'
import { FARM_PATHS } from './settings/paths.ts'
import { isProgram, runReporting } from './stages/stage.ts'

const SOURCES = ['farm', 'influx', 'minio'] as const

interface Flags {
  from: typeof SOURCES[number]
  out?: string
  seed?: string
  bucket?: string
  start?: string
  stop?: string
  measurement?: string
  every?: string
  series?: string
  tag?: readonly string[]
}

/** Flags that only one source accepts. */
const FLAGS_OF: Readonly<Record<Flags['from'], ReadonlyArray<keyof Flags>>> = {
  farm: ['seed'],
  influx: ['bucket', 'start', 'stop', 'measurement', 'every', 'series', 'tag'],
  minio: [],
}

const command = (print: (text: string) => void): Command =>
  new Command('npm run data --')
    .description(
      `Writes the simulated wind farm (${WIND_FARM_DEFAULTS.turbines} turbines over ${WIND_FARM_DEFAULTS.days} days, ` +
        'with labelled faults), or fetches series: one CSV file each, with a report on the quality of the data. ' +
        'Variables hold servers and keys; .env.example lists them.'
    )
    .argument('[place]', 's3://bucket/folder, or one object, with --from minio')
    .addOption(
      new Option('--from <source>', 'farm simulates; influx is InfluxDB 2, minio an S3 store').choices(SOURCES).default(
        'farm'
      )
    )
    .option(
      '--out <folder>',
      `folder to write or replace; default: data, and for fetched series ${FARM_PATHS.raw}`
    )
    .option('--seed <text>', `farm: seed of the simulator; data.dvc pins the default, ${WIND_FARM_DEFAULTS.seed}`)
    .option('--bucket <name>', 'influx: bucket to read')
    .option('--start <time>', 'influx: first time, e.g. 2026-03-01T00:00:00Z')
    .option('--stop <time>', 'influx: end of the range, exclusive')
    .option('--measurement <name>', 'influx: read only the fields of this measurement')
    .option('--every <duration>', 'influx: take means over this interval, e.g. PT10M; default: every point')
    .option('--series <tag>', 'influx: the tag that identifies a series, one file each; default: all is one series')
    .option(
      '--tag <name=value>',
      'influx: only points with this tag; may be repeated',
      (tag: string, tags: readonly string[] = []) => [...tags, tag]
    )
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })

interface DataResult {
  /** DVC's hash of the folder. */
  readonly md5: string
  /** False if the folder already held the same files. */
  readonly written: boolean
}

async function writeFiles (files: FarmFiles, folder: string): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/**
 * Writes the farm into the folder `out`, unless the folder holds it already.
 * @throws Problem `invalid-settings` if the folder holds files that are not a farm's
 */
export async function writeData (out: string, options: Partial<WindFarmOptions>): Promise<DataResult> {
  const files = farmFiles(options)
  const md5 = dvcFolderHash([...files].map(([path, text]) => fileHash(path, text)))
  const found = await hashFolder(out)
  if (found.length > 0 && dvcFolderHash(found) === md5) return { md5, written: false }
  const foreign = found.find(({ relpath }) => !files.has(relpath))
  if (foreign) {
    throw new Problem(
      'invalid-settings',
      `${out} holds ${foreign.relpath}, which does not belong to a simulated farm: name another folder with --out`
    )
  }
  await replaceDirectory(resolve(out), async (folder) => await writeFiles(files, folder))
  return { md5, written: true }
}

const Time = z.iso.datetime({ offset: true })

function timeOf (flag: '--start' | '--stop', text: string): string {
  if (Time.safeParse(text).success) return new Date(text).toISOString()
  throw new Problem(
    'invalid-settings',
    `${flag} is "${text}": write a time with its zone such as 2026-03-02T00:00:00Z.`
  )
}

function everyOf (text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw new Problem('invalid-settings', `--every ${(cause as Error).message}`, { cause })
  }
}

function tagOf (text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new Problem('invalid-settings', `--tag is "${text}": write name=value.`)
}

/** @throws Problem invalid-settings naming the flag */
export function influxSelection (
  { bucket, start, stop, measurement, every, series, tag = [] }: Partial<Flags>
): InfluxSelection {
  if (bucket === undefined || start === undefined || stop === undefined) {
    throw new Problem('invalid-settings', '--from influx needs --bucket, --start and --stop.')
  }
  const times = { start: timeOf('--start', start), stop: timeOf('--stop', stop) }
  if (times.start >= times.stop) throw new Problem('invalid-settings', `--stop ${stop} is not after --start ${start}.`)
  return {
    bucket,
    ...times,
    measurement,
    series,
    every: every === undefined ? undefined : everyOf(every),
    tags: tag.map(tagOf),
  }
}

function fetchOf (flags: Flags, place: string | undefined, env: Environment): Fetch {
  if (flags.from === 'influx') return fromInflux(new InfluxSource(influxAccess(env), influxSelection(flags)))
  if (place === undefined) {
    throw new Problem('invalid-settings', '--from minio needs the place to fetch from: s3://bucket/folder.')
  }
  return fromStore(new StoreSource(storeAccess(env), storeLocation(place)))
}

function parse (
  args: readonly string[],
  print: (text: string) => void
): { flags: Flags, place: string | undefined } | undefined {
  try {
    const parsed = command(print).parse(args, { from: 'user' })
    return { flags: parsed.opts<Flags>(), place: parsed.args[0] }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw new Problem(
      'invalid-settings',
      `${error.message.replace(/^error: /, '')}; npm run data -- --help lists the options.`,
      { cause: error }
    )
  }
}

function refuseOthers (flags: Flags, place: string | undefined): void {
  const [other] = SOURCES.filter((source) => source !== flags.from).flatMap((source) =>
    FLAGS_OF[source].filter((name) => flags[name] !== undefined)
  )
  if (other !== undefined) throw new Problem('invalid-settings', `${flagOf(other)} is not for --from ${flags.from}.`)
  if (place !== undefined && flags.from !== 'minio') {
    throw new Problem(
      'invalid-settings',
      `"${place}" is not for --from ${flags.from}; objects are fetched with --from minio.`
    )
  }
}

/** The command. Prints its result in one line. */
export async function main (
  args: readonly string[],
  print: (text: string) => void,
  env: Environment = readEnvironment()
): Promise<void> {
  const parsed = parse(args, print)
  if (parsed === undefined) return
  const { flags, place } = parsed
  refuseOthers(flags, place)
  if (flags.from === 'farm') {
    const { out = 'data', seed = WIND_FARM_DEFAULTS.seed } = flags
    const { md5, written } = await writeData(out, { seed })
    return print(`${out}: ${written ? 'written' : 'already there, left as it is'}, seed ${seed}, md5 ${md5}\n`)
  }
  const out = flags.out ?? FARM_PATHS.raw
  const { series, rows, md5 } = await ingest(out, fetchOf(flags, place, env))
  const report = join(out, 'data-quality.md')
  print(
    `${out}: written from ${flags.from}, ${series} series, ${rows} rows, md5 ${md5}; ` +
      `the quality of the data is in ${report}\n`
  )
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => await main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
