// `npm run retrain -- [run|pull|train|evaluate|publish]`: fresh data → a served model, or the reason against it.
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { Command, CommanderError, Option } from 'commander'
import { Problem } from '../../core/errors.ts'
import { DEFAULT_REGISTRY, openStore } from '../../adapters/registry/open-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { type Environment, readEnvironment } from '../../adapters/settings/environment.ts'
import { findDvc, modelName, PLACES } from './context.ts'
import { SOURCES } from './pull.ts'
import { retrain } from './retrain.ts'
import { type StepName, STEPS } from './state.ts'

interface Flags {
  registry: string
  dvc: boolean
  from?: typeof SOURCES[number]
  push?: boolean
  print?: boolean
}

interface Chosen {
  readonly steps: readonly StepName[]
  readonly flags: Flags
  readonly args: readonly string[]
}

const DOES: Record<StepName | 'run', string> = {
  run: 'all four steps; the default',
  pull: 'fetches data, and feedback from the registry',
  train: 'runs the training pipeline on them',
  evaluate: 'compares the new model with the live one, and decides',
  publish: 'publishes the new model, and promotes it if that was decided',
}

function parse (args: readonly string[], env: Environment, print: (text: string) => void): Chosen | undefined {
  let chosen: Chosen | undefined
  const program = new Command('npm run retrain --')
    .description(
      'Trains on fresh data, compares with the live model, publishes, and promotes a better model. ' +
        `${PLACES.report} explains every decision.`
    )
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })
  for (const name of ['run', ...STEPS] as const) {
    const command = program.command(name, { isDefault: name === 'run' }).description(DOES[name])
      .option(
        '--registry <location>',
        'a folder, or s3://bucket/prefix (needs AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)',
        env['MODEL_REGISTRY'] || DEFAULT_REGISTRY
      )
      .option('--no-dvc', 'work without DVC: every stage runs, and nothing pins the data')
      .option('--print', 'print the whole report')
    if (name === 'run' || name === 'pull') {
      command.addOption(
        new Option('--from <source>', 'where data come from; default: dvc, and here with --no-dvc').choices(SOURCES)
      )
        .argument('[args...]', 'after --: handed to "npm run data", which fetches from farm, influx and minio')
    }
    if (name === 'run' || name === 'publish') command.option('--push', "upload data and results to DVC's remote, too")
    command.action(() => {
      chosen = { steps: name === 'run' ? STEPS : [name], flags: command.opts<Flags>(), args: command.args }
    })
  }
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw new Problem(
      'invalid-settings',
      `${error.message.replace(/^error: /, '')}; npm run retrain -- --help lists the options.`,
      { cause: error }
    )
  }
  return chosen
}

function sourceOf ({ from, dvc }: Flags, args: readonly string[]): typeof SOURCES[number] {
  const source = from ?? (dvc ? 'dvc' : 'here')
  if (args.length > 0 && (source === 'dvc' || source === 'here')) {
    throw new Problem(
      'invalid-settings',
      `"${args.join(' ')}" means nothing with --from ${source}; name another source, or leave it out.`
    )
  }
  return source
}

/** Runs the command, and prints the outcome. */
export async function main (
  args: readonly string[],
  print: (text: string) => void,
  env: Environment,
  signal?: AbortSignal
): Promise<void> {
  const chosen = parse(args, env, print)
  if (chosen === undefined) return
  const { steps, flags } = chosen
  const source = sourceOf(flags, chosen.args)
  const model = await modelName()
  const dvc = flags.dvc ? await findDvc(env) : undefined
  const store = await openStore('--registry', flags.registry, env)
  try {
    const context = {
      model,
      registry: new Registry(store, Date.now),
      store,
      env,
      dvc,
      signal,
      now: () => new Date().toISOString(),
    }
    const outcome = await retrain(context, steps, { source, args: chosen.args, push: flags.push === true })
    if (flags.print !== true) print(`${outcome}\nThe report is ${PLACES.report}.\n`)
  } finally {
    store.close()
    if (flags.print === true) print(await readFile(PLACES.report, 'utf8').catch(() => ''))
  }
}

if (process.argv[1] !== undefined && pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) {
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => { stopped.abort() })
  try {
    await main(process.argv.slice(2), (text) => process.stdout.write(text), readEnvironment(), stopped.signal)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    process.stderr.write(`error${code === undefined ? '' : ` ${code}`}: ${message}\n`)
    process.exitCode = 1
  }
}
