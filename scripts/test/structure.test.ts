// The structure of the code is under test: imports run down, folders stay small, and an export has an importer.
import { dirname } from 'node:path'
import t from 'tap'
import { ALL_NAMES, isTest, readSources, type SourceFile } from './source-files.ts'

const sources = readSources()
const production = sources.filter(({ path }) => !isTest(path))

/** Top folders that count as one, whatever folders they hold. */
const WHOLE = ['bench', 'examples', 'scripts', 'simulator']

/** Folders of core/, lowest first: a folder imports the folders before it only. */
const CORE = [
  'core',
  'core/table',
  'core/series',
  'core/scoring',
  'core/linear',
  'core/features',
  'core/evidence',
  'core/detector',
  'core/fitting',
]

/** Imports inside core/ that are allowed beside that order. */
const CORE_BESIDE: Record<string, readonly string[]> = {
  'core/verdicts': ['core', 'core/table', 'core/series', 'core/scoring', 'core/evidence', 'core/detector'],
  'core/sensitivity': [
    'core',
    'core/table',
    'core/series',
    'core/scoring',
    'core/detector',
    'core/verdicts',
    'core/metrics',
  ],
  'core/package': [
    'core',
    'core/table',
    'core/series',
    'core/scoring',
    'core/evidence',
    'core/detector',
    'core/verdicts',
    'core/sensitivity',
  ],
  'core/metrics': ['core'],
}

const MOST_FILES = 15

/** Files whose exports are called by their names: piscina runs them in a thread. */
const CALLED_BY_NAME = [
  'model-serving/workers/worker.ts',
  'model-serving/test/fixture-opener.ts',
  'scripts/strip-types/hooks.js',
]

/** Folders that hold more files, and why. */
const LARGER: Record<string, string> = {
  'model-serving/public': 'the modules of a page without a build step lie in the folder that is served',
  'pipelines/steps/dashboard/public': 'the same',
}

/** Files that use functions which engines round differently: why the digest of a model may bear it. */
const WITHOUT_DIGEST: Record<string, string> = {
  'core/metrics/nab.ts': 'scores of a benchmark',
  'core/verdicts/changepoints.ts': 'changepoints of a request',
  'core/verdicts/drift.ts': 'drift of live observations',
  'core/verdicts/words.ts': 'digits of a sentence',
}

/** What counts as the folder of a file: two levels, and three for steps and adapters of the stream. */
function folderOf (path: string): string {
  const parts = path.split('/')
  const folders = parts.slice(0, -1)
  if (folders.length === 0) return path
  if (WHOLE.includes(folders[0]!)) return folders[0]!
  const deep = folders[0] === 'pipelines' && ['steps', 'adapters'].includes(folders[1] ?? '')
  if (folders.at(-1) === 'public') return folders.join('/')
  return folders.slice(0, deep ? 3 : 2).join('/')
}

type Arrows = Map<string, Map<string, string[]>>

function drawArrows (files: readonly SourceFile[]): Arrows {
  const arrows: Arrows = new Map()
  for (const { path, imports } of files) {
    const from = arrows.get(folderOf(path)) ?? new Map<string, string[]>()
    arrows.set(folderOf(path), from)
    for (const { target } of imports) {
      const to = folderOf(target)
      if (to !== folderOf(path)) from.set(to, [...from.get(to) ?? [], `${path} → ${target}`])
    }
  }
  return arrows
}

/** Folders by their height: a folder is above all that it imports. What is left imports itself by way of others. */
function stack (arrows: Arrows): { levels: string[][], circular: string[] } {
  const left = new Set(arrows.keys())
  const importsNothing = (folder: string): boolean => [...arrows.get(folder)!.keys()].every((to) => !left.has(to))
  const isImportedByNobody = (folder: string): boolean => [...left].every((from) => !arrows.get(from)!.has(folder))
  const take = (test: (folder: string) => boolean): string[] => {
    const level = [...left].filter(test).sort()
    for (const folder of level) left.delete(folder)
    return level
  }
  const levels: string[][] = []
  for (let level = take(importsNothing); level.length > 0; level = take(importsNothing)) levels.push(level)
  // Folders above a circle are no part of it.
  while (take(isImportedByNobody).length > 0);
  return { levels, circular: [...left].sort() }
}

t.test('imports between folders run down', async (t) => {
  const arrows = drawArrows(production)
  const { levels, circular } = stack(arrows)
  for (const [height, level] of levels.entries()) {
    for (const folder of level) {
      t.comment(`${height}  ${folder}  →  ${[...arrows.get(folder)!.keys()].sort().join(', ') || 'nothing'}`)
    }
  }
  const back = circular.flatMap((folder) =>
    [...arrows.get(folder)!].filter(([to]) => circular.includes(to)).flatMap(([, files]) => files)
  )
  t.comment(`${back.length} arrows between files are part of a circle of folders`)
  t.same(back, [], 'no arrow is part of a circle')
  t.ok(levels.length > 5 && arrows.size > 40, 'the graph has been read')
})

t.test('imports in core/ keep the order of its folders', async (t) => {
  for (const [folder, targets] of drawArrows(production)) {
    if (!folder.startsWith('core')) continue
    const allowed = CORE_BESIDE[folder] ?? CORE.slice(0, CORE.indexOf(folder))
    t.ok(CORE.includes(folder) || folder in CORE_BESIDE, `${folder} has a place in the order`)
    for (const [to, files] of targets) t.ok(allowed.includes(to), `${folder} → ${to}`, { files })
  }
})

t.test(`a folder holds at most ${MOST_FILES} files`, async (t) => {
  const counts = new Map<string, number>()
  for (const { path } of production) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  for (const [folder, count] of counts) {
    if (folder in LARGER) t.ok(count > MOST_FILES, `${folder} (${count}) needs its exception`)
    else t.ok(count <= MOST_FILES, `${folder}: ${count}`)
  }
})

/** The files below some folders that read one of these globals. */
function readersOf (globals: readonly string[], ...folders: readonly string[]): string[] {
  return production
    .filter(({ path, globals: read }) =>
      folders.some((folder) => path.startsWith(folder)) && read.some((name) => globals.includes(name))
    )
    .map(({ path }) => path)
}

t.test('only adapters/settings/environment.ts reads the environment', async (t) => {
  const programs = ['core/', 'adapters/', 'simulator/', 'model-creation/', 'model-serving/', 'pipelines/', 'start.ts']
  t.same(readersOf(['process.env'], ...programs), ['adapters/settings/environment.ts'])
  t.same(production.filter(({ packages }) => packages.some(({ names }) => names.includes('env'))), [])
})

t.test('core/ and simulator/ use the packages that ARCHITECTURE.md names', async (t) => {
  const used = production.filter(({ path }) => /^(core|simulator)\//.test(path))
    .flatMap(({ packages }) => packages.map(({ target }) => target))
  t.same([...new Set(used)].sort(), ['fft.js', 'luxon', 'papaparse', 'tinyduration', 'zod'])
})

t.test('what a training gives depends on no clock, and on no random number but those of core/random.ts', async (t) => {
  const folders = ['core/', 'simulator/', 'model-creation/']
  t.same(readersOf(['Math.random', 'crypto.randomUUID', 'crypto.getRandomValues'], ...folders), [])
  const random = production
    .filter(({ path }) => folders.some((folder) => path.startsWith(folder)))
    .filter(({ packages }) => packages.some(({ names }) => names.some((name) => name.startsWith('random'))))
  t.same(random.map(({ path }) => path), [])
  const clocks = ['Date.now', 'performance.now', 'new Date()']
  const others = /^model-creation\/(?:models\.ts|first-model\.ts|adapters\/mlflow\.ts)$/
  t.same(readersOf(clocks, ...folders).filter((path) => !others.test(path)), [], 'only registry and MLflow know when')
})

t.test('what a training gives needs no function that engines round differently', async (t) => {
  const inexact = [
    'acos',
    'acosh',
    'asin',
    'asinh',
    'atan',
    'atan2',
    'atanh',
    'cbrt',
    'cos',
    'cosh',
    'exp',
    'expm1',
    'hypot',
    'log',
    'log10',
    'log1p',
    'log2',
    'pow',
    'sin',
    'sinh',
    'tan',
    'tanh',
  ].map((name) => `Math.${name}`)
  const readers = readersOf([...inexact, '**'], 'core/', 'simulator/')
  t.same(readers.filter((path) => !(path in WITHOUT_DIGEST)), [], 'they take ln, exp and pow from core/elementary.ts')
  for (const path of Object.keys(WITHOUT_DIGEST)) t.ok(readers.includes(path), `${path} needs its exception`)
})

t.test('every step of the stream is a program, and all but the collector read topics', async (t) => {
  const paths = new Set(production.map(({ path }) => path))
  const steps = new Set([...paths].map((path) => /^pipelines\/steps\/([\w-]+)\//.exec(path)?.[1])
    .filter((name) => name !== undefined))
  t.ok(steps.size > 4)
  for (const step of steps) {
    t.ok(paths.has(`pipelines/steps/${step}/main.ts`), `${step}/main.ts`)
    t.equal(paths.has(`pipelines/steps/${step}/step.ts`), step !== 'collector', `${step}/step.ts`)
  }
})

t.test('every exported name is imported by another file', async (t) => {
  const used = new Map<string, Set<string>>()
  for (const { imports } of sources) {
    for (const { target, names } of imports) used.set(target, new Set([...used.get(target) ?? [], ...names]))
  }
  const unused = sources.flatMap(({ path, exports }) => {
    const names = used.get(path) ?? new Set()
    if (names.has(ALL_NAMES) || CALLED_BY_NAME.includes(path)) return []
    return exports.filter((name) => !names.has(name)).map((name) => `${path}: ${name}`)
  })
  t.comment(`${unused.length} exported names that no other file imports`)
  t.same(unused, [])
  t.ok(used.size > 300, 'the imports have been read')
})
