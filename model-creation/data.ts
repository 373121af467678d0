// npm run data: writes the simulated wind farm to data/, the data set that the pipeline trains on where no other is given.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Problem } from '../core/errors.ts'
import { farmFiles, type FarmFiles } from '../core/wind-farm/files.ts'
import { WIND_FARM_DEFAULTS, type WindFarmOptions } from '../core/wind-farm/simulate.ts'
import { dvcFolderHash, fileHash, hashFolder } from './adapters/dvc-hash.ts'
import { replaceDirectory } from './adapters/series-files.ts'
import { isProgram, runReporting } from './stage.ts'

const USAGE = `Usage: npm run data -- [options]

Writes the simulated wind farm: ${WIND_FARM_DEFAULTS.turbines} turbines over ${WIND_FARM_DEFAULTS.days} days, with labelled faults.

Options:
  --out <folder>  where to write (default: data)
  --seed <text>   another farm; data.dvc pins the default (default: ${WIND_FARM_DEFAULTS.seed})
  --help          this text
`

export interface DataResult {
  /** DVC's hash of the folder. */
  readonly md5: string
  /** False where the folder held the very same files before. */
  readonly written: boolean
}

async function writeFiles (files: FarmFiles, folder: string): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/**
 * Writes the farm into the folder `out`, unless it is there already.
 * @throws Problem `invalid-settings` where the folder holds files that are not a farm's
 */
export async function writeData (out: string, options: Partial<WindFarmOptions>): Promise<DataResult> {
  const files = farmFiles(options)
  const md5 = dvcFolderHash([...files].map(([path, text]) => fileHash(path, text)))
  const found = await hashFolder(out)
  if (found.length > 0 && dvcFolderHash(found) === md5) return { md5, written: false }
  const foreign = found.find(({ relpath }) => !files.has(relpath))
  if (foreign) throw new Problem('invalid-settings', `${out} holds ${foreign.relpath}, which is not of a simulated farm: name another folder with --out`)
  await replaceDirectory(resolve(out), async (folder) => await writeFiles(files, folder))
  return { md5, written: true }
}

/** The command. Prints one line of result. */
export async function main (args: readonly string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string', default: 'data' },
      seed: { type: 'string', default: WIND_FARM_DEFAULTS.seed },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return print(USAGE)
  const { md5, written } = await writeData(values.out, { seed: values.seed })
  print(`${values.out}: ${written ? 'written' : 'already there, left as it is'}, seed ${values.seed}, md5 ${md5}\n`)
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => await main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
