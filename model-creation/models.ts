// The command line of the registry: `npm run models -- list|publish|promote|rollback|clear|verify|prune`.
import Table from 'cli-table3'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Problem } from '../core/errors.ts'
import { describeSensitivity } from '../core/sensitivity/words.ts'
import { DEFAULT_REGISTRY, openStore } from '../adapters/registry/open-store.ts'
import { type Alias, ALIASES } from '../adapters/registry/records.ts'
import { type RegisteredModel, Registry } from '../adapters/registry/registry.ts'
import type { RegistryStore } from '../adapters/registry/store.ts'
import { pruneRegistry, verifyRegistry } from '../adapters/registry/upkeep.ts'
import { openModelPackage } from '../adapters/tfjs/model-package.ts'
import { type PackageFiles, readPackageFiles } from '../adapters/tfjs/package-files.ts'
import { readEnvironment } from '../adapters/settings/environment.ts'
import { isProgram, runReporting } from './stages/stage.ts'

type Print = (text: string) => void

interface Opened {
  readonly registry: Registry
  readonly store: RegistryStore
}

function wholeNumber (text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

const aliasOption = (): Option => new Option('--alias <alias>', 'the alias to change').choices(ALIASES).default('live')

interface Flags {
  registry: string
  alias: Alias
  version?: number
  promote?: boolean
  keep: number
}

/** The program's commands, and what they share. */
interface Commands {
  readonly print: Print
  add (usage: string, description: string): Command
  /** Opens the registry at a location for the work, and closes it afterwards. */
  run (location: string, work: (opened: Opened) => Promise<void>): Promise<void>
}

/** The command. Opens the registry of --registry, or else of MODEL_REGISTRY. */
async function main (args: readonly string[], print: Print, env = readEnvironment()): Promise<void> {
  const program = new Command('npm run models --').description(
    'The registry of models: versions that never change, and which of them the service uses.'
  )
  const location = new Option(
    '--registry <location>',
    'a folder, or s3://bucket/prefix (needs AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)'
  ).default(env['MODEL_REGISTRY'] || DEFAULT_REGISTRY)
  const commands: Commands = {
    print,
    add: (usage, description) => program.command(usage).description(description).addOption(location),
    run: async (location, work) => {
      const store = await openStore('--registry', location, env)
      try {
        await work({ store, registry: new Registry(store, Date.now) })
      } finally {
        store.close()
      }
    },
  }
  addPublishing(commands)
  addAliases(commands)
  addUpkeep(commands)
  await program.parseAsync(args, { from: 'user' })
}

function addPublishing ({ add, run, print }: Commands): void {
  add('list', 'lists the versions of all models').action(async (flags: Flags) =>
    run(flags.registry, async ({ registry }) => {
      print(listing(await registry.list()))
    })
  )
  add('publish <folder>', 'publishes a model package, once it has reproduced its golden scores and its sensitivity')
    .option('--version <number>', 'the version\'s number; default: the next one', wholeNumber)
    .option('--promote', 'make it live, too')
    .action(async (folder: string, flags: Flags) =>
      run(flags.registry, async (opened) => publish(opened, folder, flags, print))
    )
}

function addAliases ({ add, run, print }: Commands): void {
  add('promote', 'makes an alias point to a version; the live one is served').addOption(aliasOption())
    .argument('<name>', 'name of the model').argument('<version>', 'number of the version', wholeNumber)
    .action(async (name: string, version: number, flags: Flags) =>
      run(flags.registry, async ({ registry }) => {
        print(await prove(registry, name, version))
        const { current } = await registry.promote(name, version, flags.alias)
        print(`${name}@${flags.alias} is version ${current?.version}\n`)
      })
    )
  add('rollback <name>', 'undoes the latest promotion of an alias').addOption(aliasOption())
    .action(async (name: string, flags: Flags) =>
      run(flags.registry, async ({ registry }) => {
        const { current } = await registry.rollback(name, flags.alias)
        print(`${name}@${flags.alias} is version ${current?.version} again\n`)
      })
    )
  add('clear <name>', 'removes an alias').addOption(aliasOption().default('shadow'))
    .action(async (name: string, flags: Flags) =>
      run(flags.registry, async ({ registry }) => {
        await registry.clear(name, flags.alias)
        print(`${name}@${flags.alias} stands for nothing\n`)
      })
    )
}

function addUpkeep ({ add, run, print }: Commands): void {
  add('verify', 'reads everything and reports what is damaged').action(async (flags: Flags) =>
    run(flags.registry, async (opened) => verify(opened, print))
  )
  add('prune', 'removes versions that no alias needs')
    .option('--keep <number>', 'newest versions of each model that always stay', wholeNumber, 5)
    .action(async (flags: Flags) =>
      run(flags.registry, async ({ registry, store }) => {
        const removed = await pruneRegistry(registry, store, { keep: flags.keep, now: Date.now() })
        print(`${removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(', ')}`}\n`)
      })
    )
}

async function publish (
  { registry }: Opened,
  folder: string,
  { version, promote }: { version?: number, promote?: boolean },
  print: Print
): Promise<void> {
  const files = await readPackageFiles(folder)
  const sensitivity = await open(folder, files)
  const published = await registry.publish(folder, files, version)
  print(`${published.name}@${published.version} ${published.digest}${published.existed ? ', published before' : ''}\n`)
  print(sensitivity)
  if (promote !== true) return
  await registry.promote(published.name, published.version)
  print(`${published.name}@live is version ${published.version}\n`)
}

/**
 * Loads a version as the service will, and proves it: nobody shall promote what no service can use.
 * @returns what its sensitivity sheet says
 */
async function prove (registry: Registry, name: string, number: number): Promise<string> {
  const version = (await registry.get(name)).versions.find((one) => one.version === number)
  // The promotion names the versions that there are.
  return version === undefined ? '' : open(`${name}@${number}`, await registry.fetch(name, version))
}

async function open (where: string, files: PackageFiles): Promise<string> {
  const { manifest, dispose } = await openModelPackage(where, files, 'auto')
  dispose()
  return `${describeSensitivity(manifest.sensitivity, manifest.detector.interval)}\n`
}

async function verify ({ registry, store }: Opened, print: Print): Promise<void> {
  const findings = await verifyRegistry(registry, store)
  for (const { what, fault } of findings) print(`${what}: ${fault}\n`)
  if (findings.length > 0) {
    throw new Problem(
      'invalid-model-package',
      `${findings.length} faults in the registry ${registry.location}; publish damaged packages again, or remove them.`
    )
  }
  print(`${registry.location}: no faults\n`)
}

function listing (models: readonly RegisteredModel[]): string {
  if (models.length === 0) return 'no model is published\n'
  const table = new Table({ head: ['model', 'version', '', 'published', 'digest'], style: { head: [], border: [] } })
  for (const { name, versions, aliases } of models) {
    for (const { version, publishedAt, digest } of versions) {
      const standing = ALIASES.filter((alias) => aliases[alias].current?.version === version).join(', ')
      table.push([name, version, standing, publishedAt, digest.slice(0, 19)])
    }
  }
  return `${table.toString()}\n`
}

if (isProgram(import.meta.url)) {
  await runReporting(async () => main(process.argv.slice(2), (text) => process.stdout.write(text)))
}
