// Injected anomalies, for series without labels: normal observations with anomalies of known kinds at known places.
import { quantile } from '../quantile.ts'
import type { Random } from '../random.ts'
import type { Scaler } from '../series/scaler.ts'
import type { Series } from '../series/series.ts'

/** The place of one anomaly: `length` observations of channel c, starting at `from`. */
export interface Place {
  readonly c: number
  readonly from: number
  readonly length: number
}

/** What anomalies are injected into, and made from. */
export interface Scene {
  /** Shape [length × channels]; changed in place. */
  readonly values: Float64Array
  /** Mean and deviation of each channel in the training part. Sizes are in these deviations. */
  readonly scaler: Scaler
  readonly random: Random
  /** The same channels at other times: the source of values for a break. */
  readonly elsewhere: Pick<Series, 'length' | 'values'>
}

/**
 * - `spike`: single values, the first of the place and by chance every fourth after it, are off by the size
 * - `level`: all values are off by the size
 * - `drift`: the values move away, by the size at the end
 * - `noise`: noise of the size is added
 * - `quiet`: the sensor is frozen at the first value of the place
 * - `missing-cycle`: the values stay at their median, as if a cycle failed to happen
 * - `swap`: the values of this channel and another change places, as standardised values: units do not give it away
 * - `break`: the values come from another time, so that they do not go with the other channels
 */
export type InjectedKind = 'spike' | 'level' | 'drift' | 'noise' | 'quiet' | 'missing-cycle' | 'swap' | 'break'

type Inject = (scene: Scene, place: Place, size: number) => void

const widthOf = ({ scaler }: Scene): number => scaler.scale.length

/** Adds `change(i)` deviations to the i-th observation of the place. A missing value stays missing. */
function add (scene: Scene, { c, from, length }: Place, change: (i: number) => number): void {
  const width = widthOf(scene)
  for (let i = 0; i < length; i++) scene.values[(from + i) * width + c]! += scene.scaler.scale[c]! * change(i)
}

/** Replaces the values of the place. Those that are missing stay missing: a filled gap would give the place away. */
function replace (scene: Scene, { c, from, length }: Place, by: (i: number) => number): void {
  const width = widthOf(scene)
  for (let i = 0; i < length; i++) {
    const at = (from + i) * width + c
    if (!Number.isNaN(scene.values[at]!)) scene.values[at] = by(i)
  }
}

function valuesAt (scene: Scene, { c, from, length }: Place): Float64Array {
  return Float64Array.from({ length }, (_, i) => scene.values[(from + i) * widthOf(scene) + c]!)
}

/**
 * Adds an offset, in the channel's unit, to the values of the place; in place.
 * @param values shape [length × channels]
 * @example
 * const values = Float64Array.of(1, 10, 2, 20, 3, 30)
 * shift(values, 2, { c: 1, from: 1, length: 2 }, 5)
 * values // [1, 10, 2, 25, 3, 35]
 */
export function shift (values: Float64Array, channels: number, { c, from, length }: Place, by: number): void {
  for (let i = 0; i < length; i++) values[(from + i) * channels + c]! += by
}

const signOf = (random: Random): number => random.integer(2) === 0 ? -1 : 1

const KINDS: Readonly<Record<InjectedKind, Inject>> = {
  spike: (scene, place, size) => {
    const { random } = scene
    add(scene, place, (i) => i === 0 || random.integer(4) === 0 ? signOf(random) * size : 0)
  },
  level: (scene, place, size) => {
    shift(scene.values, widthOf(scene), place, signOf(scene.random) * size * scene.scaler.scale[place.c]!)
  },
  drift: (scene, place, size) => {
    const end = signOf(scene.random) * size
    add(scene, place, (i) => end * (i + 1) / place.length)
  },
  noise: (scene, place, size) => {
    add(scene, place, () => size * scene.random.normal())
  },
  quiet: (scene, place) => {
    const held = valuesAt(scene, place).find((value) => !Number.isNaN(value)) ?? NaN
    replace(scene, place, () => held)
  },
  'missing-cycle': (scene, place) => {
    const median = quantile(valuesAt(scene, place), 0.5)
    replace(scene, place, () => median)
  },
  swap: (scene, place) => {
    const others = varying(scene.scaler).filter((c) => c !== place.c)
    const other = { ...place, c: others[scene.random.integer(others.length)]! }
    const [mine, theirs] = [place, other].map((one) => valuesAt(scene, one))
    replace(scene, place, (i) => moved(scene.scaler, theirs![i]!, other.c, place.c))
    replace(scene, other, (i) => moved(scene.scaler, mine![i]!, place.c, other.c))
  },
  break: (scene, place) => {
    const { elsewhere, random } = scene
    const start = random.integer(Math.max(1, elsewhere.length - place.length))
    const shown = { ...place, length: Math.min(place.length, elsewhere.length) }
    replace(scene, shown, (i) => elsewhere.values[(start + i) * widthOf(scene) + place.c]!)
  },
}

/** A value of one channel as the other channel would show it: the same number of deviations from its mean. */
function moved ({ center, scale }: Scaler, value: number, from: number, to: number): number {
  return center[to]! + (value - center[from]!) / scale[from]! * scale[to]!
}

/**
 * The channels that vary: anomalies can be injected into them.
 * @example
 * varying({ center: [5, 0], scale: [0, 1] }) // [1]
 */
export function varying ({ scale }: Scaler): number[] {
  return scale.flatMap((one, c) => one > 0 ? [c] : [])
}

/**
 * Whether a kind makes sense: a lone channel has no other that it could go with.
 * @param varyingChannels number of channels that vary
 * @example
 * isPossible('swap', 1) // false
 * isPossible('spike', 1) // true
 */
export function isPossible (kind: InjectedKind, varyingChannels: number): boolean {
  return varyingChannels > 1 || (kind !== 'swap' && kind !== 'break')
}

/**
 * Injects one anomaly into the values of the scene, in place.
 * @param size in deviations of the channel; `quiet`, `missing-cycle`, `swap` and `break` have none
 * @example
 * const scaler = { center: [0], scale: [2] }
 * const scene = { values: new Float64Array(3), scaler, random: createRandom(2), elsewhere: { length: 0, values: [] } }
 * injectInto(scene, 'spike', { c: 0, from: 1, length: 1 }, 5)
 * scene.values.map(Math.abs) // [0, 10, 0]
 */
export function injectInto (scene: Scene, kind: InjectedKind, place: Place, size: number): void {
  KINDS[kind](scene, place, size)
}
