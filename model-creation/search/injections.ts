// The anomalies that candidates are judged by: kinds, sizes and lengths drawn at random, at random places.
import { type Random } from '../../core/random.ts'
import { type InjectedKind, injectInto, isPossible, type Scene, varying } from '../../core/sensitivity/inject.ts'
import { type Series } from '../../core/series/series.ts'

/** A normal series with injected anomalies, and their places. */
export interface Injected {
  readonly series: Series
  /** Shape [length]; 1 at injected observations. */
  readonly labels: Uint8Array
}

/** Default lengths of the anomalies, in observations. */
export const ANOMALY_LENGTHS: readonly number[] = [10, 20, 40, 80]
/** Observations between anomalies: even the longest windows must also see normal data. */
const SPACING = 256

/** The kinds, and the range of their sizes in deviations of the training part. */
const SIZES = {
  level: [1, 3],
  spike: [3, 6],
  quiet: [0, 0],
  noise: [0.5, 1.5],
  drift: [1, 3],
  break: [0, 0],
} as const satisfies Partial<Record<InjectedKind, readonly [number, number]>>

export type Kind = keyof typeof SIZES

export function kindsFor (channels: number): Kind[] {
  return (Object.keys(SIZES) as Kind[]).filter((kind) => isPossible(kind, channels))
}

/** How many anomalies a series of this length gets. */
export function anomaliesIn (observations: number, lengths: readonly number[]): number {
  return Math.max(1, Math.floor(observations / (SPACING + Math.max(...lengths))))
}

interface Injection extends Omit<Scene, 'values'> {
  readonly kind: Kind
  /** Lengths in observations; one is drawn for each anomaly. */
  readonly lengths: readonly number[]
}

const between = (random: Random, [low, high]: readonly [number, number]): number =>
  low + (high - low) * random.uniform()

/**
 * Copies the series and injects anomalies of one kind. Each lies in one varying channel, of which there is at least
 * one; their lengths and sizes are random, and so are their places within equal slots.
 */
export function inject (series: Series, { kind, lengths, ...given }: Injection): Injected {
  const scene = { ...given, values: series.values.slice() }
  const channels = varying(scene.scaler)
  const { random } = scene
  const labels = new Uint8Array(series.length)
  const count = anomaliesIn(series.length, lengths)
  const slot = Math.floor(series.length / count)
  for (let k = 0; k < count; k++) {
    const length = Math.max(1, Math.min(lengths[random.integer(lengths.length)]!, Math.floor(slot / 2)))
    const from = k * slot + random.integer(slot - length + 1)
    injectInto(
      scene,
      kind,
      { c: channels[random.integer(channels.length)]!, from, length },
      between(random, SIZES[kind])
    )
    labels.fill(1, from, from + length)
  }
  return { series: { ...series, values: scene.values }, labels }
}
