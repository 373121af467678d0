// dvc.yaml matches the code: its stages are the files and the sections of params.yaml, its paths are those of the code,
// and its dependencies cover all imports.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { type z } from 'zod'
import { readDvcFile } from '../adapters/dvc-hash.ts'
import { ParamsSchema, parseParams, readParams } from '../settings/params.ts'
import { FARM_PARAMS, FARM_PATHS } from '../settings/paths.ts'
import { importClosure } from './import-closure.ts'

const root = join(import.meta.dirname, '..', '..')
const read = async (...path: string[]): Promise<unknown> => parse(await readFile(join(root, ...path), 'utf8'))

interface Stage {
  readonly wdir: string
  readonly cmd: string
  readonly deps: string[]
  readonly params: [Record<string, string[]>]
  readonly outs?: string[]
  readonly metrics?: string[]
  readonly plots?: string[]
}

interface Lock {
  readonly stages: Record<
    string,
    {
      cmd: string,
      deps: Array<{ path: string }>,
      params: Record<string, Record<string, unknown>>,
      outs: Array<{ path: string }>,
    }
  >
}

const { stages, plots } = await read('model-creation', 'dvc.yaml') as {
  stages: Record<string, Stage>,
  plots: Array<Record<string, { y: Record<string, string> }>>,
}
const NAMES = ['prepare', 'train', 'evaluate', 'package']

/** Dependencies on folders of code; all others are data. */
const CODE = /^(core|adapters|model-creation\/(?!out\/))/

/** Data that each stage reads, beside its code. */
const DATA: Record<string, string[]> = {
  prepare: [FARM_PATHS.raw, FARM_PATHS.labels!, FARM_PATHS.feedback!],
  train: [FARM_PATHS.prepared],
  evaluate: [FARM_PATHS.feedback!, FARM_PATHS.labels!, FARM_PATHS.model, FARM_PATHS.prepared],
  package: [FARM_PATHS.model, FARM_PATHS.prepared, join(FARM_PATHS.reports, 'metrics.json')],
}

const produced = ({ outs = [], metrics = [], plots = [] }: Stage): string[] => [...outs, ...metrics, ...plots]

t.test('stage = file = section of params.yaml', async (t) => {
  t.strictSame(Object.keys(stages), NAMES)
  t.strictSame(Object.keys(await read(FARM_PARAMS) as object), NAMES)
  for (const [name, { cmd, wdir }] of Object.entries(stages)) {
    t.equal(cmd, `node --import tsx model-creation/stages/${name}.ts`)
    t.equal(wdir, '..')
    t.ok(existsSync(join(root, 'model-creation/stages', `${name}.ts`)))
  }
})

for (const name of NAMES) {
  t.test(`${name} depends on everything it imports and reads, and on nothing else`, (t) => {
    const { deps } = stages[name]!
    const code = deps.filter((path) => CODE.test(path))
    const imports = importClosure(`model-creation/stages/${name}.ts`, root)
    const isUnder = (file: string, folder: string): boolean => file.startsWith(`${folder}/`)
    t.strictSame(
      imports.filter((file) => !code.some((folder) => isUnder(file, folder))),
      [],
      'imports under no dependency'
    )
    t.strictSame(
      code.filter((folder) => !imports.some((file) => isUnder(file, folder))),
      [],
      'folders without an import'
    )
    t.strictSame(deps.filter((path) => !CODE.test(path)).sort(), DATA[name]!.toSorted())
    t.equal(new Set(deps).size, deps.length)
    t.end()
  })

  t.test(`${name} depends on its own section of params.yaml`, (t) => {
    const [params, ...others] = stages[name]!.params
    t.strictSame(others, [])
    t.strictSame(Object.keys(params), [FARM_PARAMS])
    t.ok(params[FARM_PARAMS]!.includes(name))
    t.end()
  })
}

t.test('every input of a stage is the output of another, or pinned by data.dvc', async (t) => {
  const { path } = await readDvcFile(join(root, 'data.dvc'))
  const made: string[] = []
  for (const name of NAMES) {
    for (const dependency of DATA[name]!) {
      t.ok(dependency.startsWith(`${path}/`) || made.includes(dependency), `${name} reads ${dependency}`)
    }
    made.push(...produced(stages[name]!))
  }
  t.strictSame(made.filter((out) => !out.startsWith(FARM_PATHS.reports)), [
    FARM_PATHS.prepared,
    FARM_PATHS.model,
    FARM_PATHS.package,
  ])
  t.equal(new Set(made).size, made.length)
  const plotted = plots.flatMap((plot) => Object.values(plot).flatMap(({ y }) => Object.keys(y)))
  for (const file of plotted) t.ok(made.includes(file), `${file} is plotted`)
  t.equal(
    basename(FARM_PATHS.package),
    (await readParams(join(root, FARM_PARAMS))).package.name,
    'the folder has the name of the model'
  )
})

t.test('dvc.lock records these stages with these dependencies and parameters', async (t) => {
  const lock = await read('model-creation', 'dvc.lock') as Lock
  const params = await read(FARM_PARAMS) as Record<string, unknown>
  t.strictSame(Object.keys(lock.stages).sort(), NAMES.toSorted())
  for (const [name, { cmd, deps, params: locked, outs }] of Object.entries(lock.stages)) {
    t.equal(cmd, stages[name]!.cmd)
    t.strictSame(
      deps.map((dependency) => dependency.path).sort(),
      stages[name]!.deps.toSorted(),
      `${name}: dependencies`
    )
    t.strictSame(outs.map((out) => out.path).sort(), produced(stages[name]!).sort(), `${name}: results`)
    t.strictSame(locked[FARM_PARAMS]![name], params[name], `${name}: parameters`)
  }
})

/** Names of the values of nested objects, joined by dots. */
function keysOf (value: unknown, prefix = ''): string[] {
  if (value === null || typeof value !== 'object') return [prefix]
  return Object.entries(value).flatMap(([key, item]) => keysOf(item, prefix === '' ? key : `${prefix}.${key}`))
}

t.test('params.yaml names every parameter, and no other', async (t) => {
  const written = await read(FARM_PARAMS)
  t.strictSame(keysOf(written).sort(), keysOf(ParamsSchema.parse({})).sort())
  t.strictSame(
    parseParams(written, FARM_PARAMS),
    written as z.output<typeof ParamsSchema>,
    'and the schema changes nothing about it'
  )
  for (const key of keysOf(written)) {
    const misspelt = key.split('.').reduceRight<unknown>(
      (inner, part, i, parts) => ({ [i === parts.length - 1 ? `${part}x` : part]: inner }),
      1
    )
    t.throws(() => parseParams(misspelt, 'params.yaml'), {
      code: 'invalid-settings',
      message: new RegExp(`"${key.split('.').at(-1)}x"`),
    }, key)
  }
})
