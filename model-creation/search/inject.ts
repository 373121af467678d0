// Synthetic anomalies for series without labels: normal observations with anomalies of known kinds at known places.
import { type Random } from '../../core/random.ts'
import { type Scaler } from '../../core/series/scaler.ts'
import { type Series } from '../../core/series/series.ts'

/** A normal series with injected anomalies, and their places. */
export interface Injected {
  readonly series: Series
  /** Shape [length]; 1 at injected observations. */
  readonly labels: Uint8Array
}

/** The place of one anomaly: `length` observations of channel c, starting at `from`. */
interface Place {
  readonly c: number
  readonly from: number
  readonly length: number
}

/** The data that an anomaly is injected into, and made from. */
interface Scene {
  readonly values: Float64Array
  readonly channels: number
  /** Deviation of each channel in the training part. */
  readonly scale: readonly number[]
  readonly random: Random
  /** The same channels at other times: the source of values for a correlation break. */
  readonly elsewhere: Series
}

/** Default lengths of the anomalies, in observations. */
export const ANOMALY_LENGTHS: readonly number[] = [10, 20, 40, 80]
/** Observations between anomalies: even the longest windows must also see normal data. */
const SPACING = 256

type Inject = (scene: Scene, place: Place) => void

/** Adds `change(i)` deviations to the i-th observation of the place. */
function add ({ values, channels, scale }: Scene, { c, from, length }: Place, change: (i: number) => number): void {
  for (let i = 0; i < length; i++) values[(from + i) * channels + c]! += scale[c]! * change(i)
}

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform()

const sign = (random: Random): number => random.integer(2) === 0 ? -1 : 1

/** Sizes are in deviations of the training part. */
const KINDS = {
  'level shift': (scene, place) => {
    const shift = sign(scene.random) * between(scene.random, 1, 3)
    add(scene, place, () => shift)
  },
  'spike burst': (scene, place) => {
    const { random } = scene
    add(scene, place, (i) => i === 0 || random.integer(4) === 0 ? sign(random) * between(random, 3, 6) : 0)
  },
  'frozen sensor': ({ values, channels }, { c, from, length }) => {
    // A missing value stays missing: otherwise a place without missing values would give the anomaly away.
    const held =
      Array.from({ length }, (_, i) => values[(from + i) * channels + c]!).find((value) => !Number.isNaN(value)) ?? NaN
    for (let i = 0; i < length; i++) {
      if (!Number.isNaN(values[(from + i) * channels + c]!)) values[(from + i) * channels + c] = held
    }
  },
  'noise burst': (scene, place) => {
    const size = between(scene.random, 0.5, 1.5)
    add(scene, place, () => size * scene.random.normal())
  },
  'slow drift': (scene, place) => {
    const end = sign(scene.random) * between(scene.random, 1, 3)
    add(scene, place, (i) => end * (i + 1) / place.length)
  },
  'correlation break': ({ values, channels, random, elsewhere }, { c, from, length }) => {
    const other = random.integer(Math.max(1, elsewhere.length - length))
    for (let i = 0; i < Math.min(length, elsewhere.length); i++) {
      values[(from + i) * channels + c] = elsewhere.values[(other + i) * channels + c]!
    }
  },
} as const satisfies Record<string, Inject>

export type Kind = keyof typeof KINDS

/** The kinds that make sense: a single channel has no correlation to break. */
export function kindsFor (channels: number): Kind[] {
  return (Object.keys(KINDS) as Kind[]).filter((kind) => channels > 1 || kind !== 'correlation break')
}

/** How many anomalies a series of this length gets. */
export function anomaliesIn (observations: number, lengths: readonly number[]): number {
  return Math.max(1, Math.floor(observations / (SPACING + Math.max(...lengths))))
}

interface Injection {
  readonly kind: Kind
  /** Lengths in observations; one is drawn for each anomaly. */
  readonly lengths: readonly number[]
  /** The series that the candidates are fitted on: the source of values for a correlation break. */
  readonly trained: Series
  /** Scaler of the training part; at least one channel varies. */
  readonly scaler: Scaler
  readonly random: Random
}

/**
 * Copies the series and injects anomalies of one kind. Each lies in one varying channel; their lengths are random, and
 * so are their places within equal slots.
 */
export function inject (series: Series, { kind, lengths, trained, scaler, random }: Injection): Injected {
  const channels = series.channels.length
  const scene = { values: series.values.slice(), channels, scale: scaler.scale, random, elsewhere: trained }
  const varying = scaler.scale.flatMap((scale, c) => scale > 0 ? [c] : [])
  const labels = new Uint8Array(series.length)
  const count = anomaliesIn(series.length, lengths)
  const slot = Math.floor(series.length / count)
  for (let k = 0; k < count; k++) {
    const length = Math.max(1, Math.min(lengths[random.integer(lengths.length)]!, Math.floor(slot / 2)))
    const place = {
      c: varying[random.integer(varying.length)]!,
      from: k * slot + random.integer(slot - length + 1),
      length,
    }
    KINDS[kind](scene, place)
    labels.fill(1, place.from, place.from + length)
  }
  return { series: { ...series, values: scene.values }, labels }
}
