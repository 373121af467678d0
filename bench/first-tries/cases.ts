// The cases of a set: so many series of each kind, drawn from the names of the set and of the kind.
import { pathToFileURL } from 'node:url'
import { createRandom, type Random } from '../../core/random.ts'
import { fromColumns, type Series } from '../../core/series/series.ts'
import { parseDuration } from '../../core/table/duration.ts'
import { type Drawing, type Kind, type Label } from './kinds/draw.ts'
import { HOME } from './kinds/home.ts'
import { MACHINES } from './kinds/machines.ts'
import { SERVICES } from './kinds/services.ts'
import { SHAPES } from './kinds/shapes.ts'

/** One labelled series. */
export interface Case {
  readonly id: string
  readonly kind: string
  readonly series: Series
  readonly labels: readonly Label[]
}

/** Draws the case of a kind that belongs to a seed. */
type Draw = (seed: string) => Drawing

/** Kinds by name. */
type Kinds = ReadonlyMap<string, Draw>

/** A Monday. */
const START = Date.UTC(2026, 0, 5)

/** The project's own kinds. */
export function ownKinds (): Kinds {
  const kinds = Object.entries<Kind>({ ...SERVICES, ...HOME, ...MACHINES, ...SHAPES })
  return new Map(kinds.map(([name, draw]) => [name, (seed) => draw(createRandom(seed))]))
}

/** The random numbers that a kind of an outside module draws. */
interface OutsideRandom {
  /** Uniform in [0, 1). */
  readonly u: () => number
  /** Normal. */
  readonly n: () => number
  /** Whole, from `low` to `high`. */
  readonly int: (low: number, high: number) => number
  readonly pick: <T>(list: readonly T[]) => T
}

/** What a kind of an outside module gives; `step` is an ISO 8601 duration. */
interface OutsideDrawing {
  readonly step: string
  readonly channels: Drawing['columns']
  readonly labels: Drawing['labels']
}

interface OutsideModule {
  readonly KINDS?: Readonly<Record<string, (random: Random & OutsideRandom) => OutsideDrawing>>
  /** The module's own source of random numbers, if it has one. */
  readonly random?: (seed: string) => Random & OutsideRandom
}

/** Kinds of a module that exports `KINDS`, drawn with its own `random(seed)` or else with that of the core. */
export async function outsideKinds (file: string): Promise<Kinds> {
  const { KINDS, random = randomOf } = await import(pathToFileURL(file).href) as OutsideModule
  if (KINDS === undefined) throw new Error(`${file} does not export KINDS`)
  return new Map(Object.entries(KINDS).map(([name, draw]) => [name, (seed) => {
    const { step, channels, labels } = draw(random(seed))
    return { interval: parseDuration(step), columns: channels, labels }
  }]))
}

function randomOf (seed: string): Random & OutsideRandom {
  const random = createRandom(seed)
  return {
    ...random,
    u: random.uniform,
    n: random.normal,
    int: (low, high) => low + random.integer(high - low + 1),
    pick: (list) => list[random.integer(list.length)]!,
  }
}

/** @param seeds number of series of each kind */
export function casesOf (kinds: Kinds, set: string, seeds: number): Case[] {
  return [...kinds].flatMap(([kind, draw]) => Array.from({ length: seeds }, (_, k) => {
    const { interval, columns, labels } = draw(`${set}/${kind}/${k}`)
    return { id: `${kind}-${set}-${k + 1}`, kind, series: fromColumns({ start: START, interval, columns }), labels }
  }))
}
