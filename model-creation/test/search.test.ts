// The search for settings: it injects anomalies, sees only the training part, and chooses well; and the program.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { createRandom } from '../../core/random.ts'
import { fitScaler } from '../../core/series/scaler.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import { parseParams } from '../settings/params.ts'
import { silent } from '../stages/progress.ts'
import { choose, main, search, type SearchOptions, type SearchResult } from '../search.ts'
import { AS_IS, candidatesFor, smoothed, trainOf } from '../search/candidates.ts'
import { inject, type Kind, kindsFor } from '../search/injections.ts'
import { layCourse, type Trial, tryOut } from '../search/trial.ts'
import {
  CHANNELS,
  PARAMS,
  plantParams,
  plantPaths,
  recordingProgress,
  TRAIN_UNTIL,
  tableText,
  writePlant,
} from './fixture.ts'
import { runHere, runProgram } from './run-program.ts'

const OPTIONS: SearchOptions = { candidates: 3, architectures: ['linear', 'masked'], lengths: [5, 10] }

/** Three correlated channels, a constant one, and a missing value. */
function together (length: number): Series {
  const random = createRandom('together')
  const columns: Record<string, Array<number | null>> = { a: [], b: [], c: [], still: [] }
  for (let i = 0; i < length; i++) {
    const common = random.normal()
    for (const name of ['a', 'b', 'c']) columns[name]!.push(10 * (common + 0.2 * random.normal()))
    columns['still']!.push(7)
  }
  columns['a']![length - 3] = null
  return fromColumns({ start: 0, interval: 1000, columns })
}

/**
 * One channel that repeats 40 random values after pauses of random length: noise to a window of 8, predictable for one
 * of 64, and no season.
 */
function recurrent (length: number): Series {
  const random = createRandom('recurrent')
  const pattern = Array.from({ length: 40 }, () => random.normal())
  const x: number[] = []
  while (x.length < length) {
    const pause = Array<number>(random.integer(20)).fill(0)
    for (const value of [...pattern, ...pause]) x.push(value + 0.1 * random.normal())
  }
  return fromColumns({ start: 0, interval: 1000, columns: { x: x.slice(0, length) } })
}

t.test('every kind changes only one varying channel, and only within the labels', (t) => {
  const series = together(2000)
  const scaler = fitScaler([series.values], 4)
  for (const kind of kindsFor(4)) {
    const injection = { kind, lengths: [10, 20], elsewhere: series, scaler }
    const { series: { values }, labels } = inject(series, { ...injection, random: createRandom(kind) })
    t.strictSame(
      inject(series, { ...injection, random: createRandom(kind) }).series.values,
      values,
      `${kind} is seeded`
    )
    const changed = Array.from(
      labels,
      (_, i) => [0, 1, 2, 3].filter((c) => !Object.is(values[i * 4 + c], series.values[i * 4 + c]))
    )
    t.ok(
      changed.every((channels, i) => labels[i] === 1 ? channels.length <= 1 : channels.length === 0),
      `${kind}: only at labelled observations`
    )
    t.ok(changed.flat().length > 10, `${kind}: values are changed there`)
    t.notOk(changed.flat().includes(3), `${kind}: a constant channel is not changed`)
    t.equal(labels.reduce((sum, label) => sum + label, 0) % 10, 0, 'lengths are 10 or 20')
    t.ok(labels.includes(0))
  }
  const shifts = inject(series, {
    kind: 'level',
    lengths: [10],
    elsewhere: series,
    scaler,
    random: createRandom(1),
  }).series.values
    .map((value, i) => Math.abs(value - series.values[i]!) / (scaler.scale[i % 4]! || 1)).filter((size) => size > 0)
  t.ok(shifts.every((size) => size > 0.999 && size < 3.001), 'between one and three deviations')
  t.strictSame(kindsFor(1), kindsFor(2).filter((kind): kind is Kind => kind !== 'break'))
  t.end()
})

t.test('candidates are fitted on the first three quarters, and judged on the last', (t) => {
  const series = [together(400), together(203)]
  const { fitted, tails } = layCourse(series, { seed: 1, lengths: [10] })
  t.strictSame(fitted.map(({ length }) => length), [300, 153])
  tails.forEach(({ from, normal, injected }, i) => {
    const tail = series[i]!.values.slice(fitted[i]!.values.length)
    t.strictSame(normal.values.slice(from * 4), tail, 'the unchanged tail')
    t.strictSame(normal.values.slice(0, from * 4), fitted[i]!.values.slice(-from * 4), 'after the fitted part')
    for (const { kind, labels } of injected) t.not(labels.indexOf(1), -1, kind)
  })
  t.throws(() => layCourse([together(200)], { seed: 1, lengths: [10] }), {
    code: 'no-training-data',
    message: /at least 60/,
  })
  const still = fromColumns({ start: 0, interval: 1000, columns: { x: new Float64Array(400).fill(3) } })
  t.throws(() => layCourse([still], { seed: 1, lengths: [10] }), {
    code: 'no-training-data',
    message: /No channel varies/,
  })
  t.end()
})

t.test('chooses the longer window if time matters, else the shorter one', async (t) => {
  const base =
    parseParams({ train: { architecture: 'masked', causal: { smoothing: 5 }, batch: { smoothing: 5 } } }, 'the test')
      .train
  const candidateOf = (length: number): { name: string, change: object } => ({
    name: `window ${length}`,
    change: { windowLength: length, tail: 'auto' },
  })
  const chosen = async (series: Series, lengths: number[]): Promise<Trial> => {
    const course = layCourse([series], { seed: 1, lengths: [40, 80] })
    const trials: Trial[] = []
    for (const length of lengths) trials.push(await tryOut(course, base, candidateOf(length)))
    return choose(trials)
  }
  t.equal((await chosen(recurrent(3000), [8, 64])).candidate.name, 'window 64')
  t.equal((await chosen(together(3000), [2, 32])).candidate.name, 'window 2')
})

t.test('chooses the best without too many false alarms; of equals the current parameters, then the simplest', (t) => {
  const trial = (name: string, vusPr: number, width: number, { falseAnomalies = 0.1, flagged = 1 } = {}): Trial => ({
    candidate: name === 'as is' ? AS_IS : { name, change: {} },
    vusPr,
    falseAnomalies,
    flagged,
    width,
    batch: vusPr,
    causal: vusPr,
    kinds: {},
  })
  const best = trial('best', 0.6, 64)
  const nameOf = (...trials: Trial[]): string => choose(trials).candidate.name
  t.equal(nameOf(trial('narrow', 0.5, 8), best), 'best')
  t.equal(nameOf(trial('narrow', 0.595, 8), best), 'narrow')
  t.equal(nameOf(trial('narrow', 0.595, 8), trial('as is', 0.592, 32), best), AS_IS.name)
  t.equal(nameOf(trial('wide flags', 0.9, 8, { flagged: 20 }), best), 'best')
  t.equal(nameOf(trial('restless', 0.9, 8, { falseAnomalies: 2 }), best), 'best')
  t.equal(
    nameOf(trial('as is', 0.5, 8, { falseAnomalies: 2 }), trial('as restless', 0.9, 8, { falseAnomalies: 2 }), best),
    'as restless'
  )
  t.equal(
    nameOf(trial('bad', 0.9, 8, { flagged: 20 }), trial('worse', 0.6, 64, { flagged: 30 })),
    'bad',
    'if all have too many false alarms'
  )
  t.end()
})

t.test('candidates fit the data and are valid parameters', (t) => {
  const base = plantParams().train
  const candidates = candidatesFor(['linear', 'masked', 'ensemble', 'dense'], 300, 20, createRandom(1))
  t.equal(candidates[0], AS_IS)
  t.strictSame(trainOf(base, AS_IS), base)
  const lengths = new Set(candidates.flatMap(({ change }) => change.windowLength ?? []))
  t.strictSame([...lengths].sort(), [16, 8], 'at most a twelfth of 300 observations')
  t.strictSame(
    candidates.flatMap((candidate) => [candidate, ...smoothed(candidate, base)]).map((tried) =>
      trainOf(base, tried).seed
    ),
    candidates.flatMap((candidate) => [1, ...smoothed(candidate, base).map(() => 1)])
  )
  t.equal(new Set(candidates.map(({ name }) => name)).size, candidates.length)
  t.notSame(candidatesFor(['linear'], 3000, 1, createRandom(2)), candidatesFor(['linear'], 3000, 1, createRandom(1)))
  t.end()
})

t.test('the same training data give the same report, whatever the test part', async (t) => {
  const root = t.testdir({})
  const run = async (
    name: string,
    spoil: (row: string, i: number) => string
  ): Promise<{ result: SearchResult, report: string }> => {
    const raw = join(root, name, 'plant')
    await mkdir(raw, { recursive: true })
    for (const series of ['A', 'B'] as const) {
      await writeFile(join(raw, `${series}.csv`), tableText(series).split('\n').map(spoil).join('\n'))
    }
    const paths = plantPaths(raw, join(root, name, 'work'))
    const result = await search({ paths, params: plantParams(), progress: silent, table: {} }, OPTIONS)
    return { result, report: await readFile(join(paths.reports, 'search.json'), 'utf8') }
  }
  const plain = await run('plain', (row) => row)
  t.equal(plain.result.trials.length, OPTIONS.candidates)
  t.equal(plain.result.trials[0]!.candidate, AS_IS)
  t.equal((await run('again', (row) => row)).report, plain.report)
  const behind = (row: string): boolean => /^\d/.test(row) && row.split(',')[0]! >= TRAIN_UNTIL
  const otherTest = await run('other-test', (row) => behind(row) ? `${row.split(',')[0]},1,2,3` : row)
  t.equal(otherTest.report, plain.report)
  const otherTraining = await run('other-training', (row, i) => i === 350 ? `${row.split(',')[0]},99,99,99` : row)
  t.not(otherTraining.report, plain.report)
  const { chosen, lines, candidates } = JSON.parse(plain.report) as {
    chosen: string,
    lines: string,
    candidates: Array<{ name: string, kinds: object }>,
  }
  t.ok(candidates.some(({ name }) => name === chosen))
  t.strictSame(Object.keys(candidates[0]!.kinds), kindsFor(CHANNELS.length))
  t.doesNotThrow(() => parseParams(parse(lines) ?? {}, 'the proposal'))
})

t.test('trained architectures can be searched; untrainable candidates are reported and left out', async (t) => {
  const root = t.testdir({})
  await writePlant(join(root, 'plant'))
  const progress = recordingProgress()
  const params = plantParams({
    train: { architecture: 'linear', windowLength: 290, architectures: { dense: { hidden: 4, code: 2, steps: 5 } } },
  })
  const { trials } = await search({
    paths: plantPaths(join(root, 'plant'), join(root, 'work')),
    params,
    progress,
    table: {},
  }, { ...OPTIONS, candidates: 8, architectures: ['dense'] })
  t.match(
    progress.lines.find((text) => text.includes('as in the parameters')),
    /^1\/\d+ as in the parameters: .*consecutive observations/
  )
  t.ok(
    trials.length > 0 && trials.every(({ candidate, vusPr }) =>
      candidate.name.startsWith('dense') && vusPr > 0 && vusPr <= 1
    )
  )
})

t.test('as a program', async (t) => {
  const root = t.testdir({})
  await writePlant(join(root, 'plant'))
  await writeFile(join(root, 'params.yaml'), stringify(PARAMS))
  const args = ['--data', 'plant', '--params', 'params.yaml']
  const searchFlags = ['--candidates', '3', '--lengths', '5,10', '--architectures', 'linear']
  const [done, help] = await Promise.all([
    runProgram('search.ts', [...args, '--out', 'found', ...searchFlags], root),
    runProgram('search.ts', ['--help'], root),
  ])
  const here = (args: readonly string[]) =>
    runHere((args, print) => main(args, print, silent), args, root)
  const noOut = await here(args)
  const wrong = await here([...args, '--out', 'found', '--architectures', 'linear,lstm'])
  const farm = await here(['--interval', 'PT10M'])
  t.equal(done.code, 0, done.stderr)
  t.match(done.stdout, /candidate.*VUS-PR.*flagged %/)
  t.match(done.stdout, /Put into params\.yaml:|Leave the parameters as they are/)
  t.match(done.stderr, /^prepare …\n(.*\n)*search …\n(.*\n)*.*3\/3/)
  t.match(JSON.parse(await readFile(join(root, 'found', 'reports', 'search.json'), 'utf8')), {
    seed: 1,
    lengths: [5, 10],
    validationShare: 0.25,
    candidates: Array,
  })
  t.strictSame(noOut, {
    code: 1,
    stdout: '',
    stderr: 'error invalid-settings: --data needs --out: the folder that reports/search.json goes to.\n',
  })
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, /--architectures.*It must be one of linear/)
  t.match(farm, { code: 1, stderr: /--interval needs --data/ })
  for (const flag of ['--data', '--out', '--params', '--train-until', '--candidates', '--architectures', '--lengths']) {
    t.match(help.stdout, flag)
  }
})
