// Synthetic series and detectors for tests: correlated channels with noise, all from a seed.
import { type Detection } from '../scoring/detection.ts'
import {
  FIT_DEFAULTS,
  type FitSettings,
  type FittedDetector,
  fitDetector,
  type MemberSettings,
  type MemberToFit,
} from '../fitting/fit.ts'
import {
  defaultTail,
  learnerOf,
  type SolvedArchitecture,
  type SolvedAutoencoder,
  VARIANCE_SHARE,
} from '../fitting/members.ts'
import { createRandom } from '../random.ts'
import { type Reconstruction } from '../scoring/reconstruction-error.ts'
import { fromColumns, type Series } from '../series/series.ts'
import { fitSubspace, subspaceReconstruct } from '../linear/subspace.ts'

const INTERVAL = 600_000

/** `channels` mixtures of two slow waves plus noise; observation t is the same however long the series is. */
export function waves (length: number, channels = 3, seed = 1, interval = INTERVAL): Series {
  const random = createRandom(`waves/${seed}`)
  const rows = Array.from({ length }, (_, t) => {
    const noise = Array.from({ length: channels }, () => random.normal())
    return noise.map((e, c) => (c + 1) * Math.sin(t / 7 + c / 3) + Math.cos(t / 29) + 0.1 * e + 5 * c)
  })
  const columns = Object.fromEntries(
    Array.from({ length: channels }, (_, c) => [`channel_${c}`, rows.map((row) => row[c]!)])
  )
  return fromColumns({ start: Date.UTC(2026, 0, 1), interval, columns })
}

/** A copy in which `change` may alter the values, shape [length × channels]. */
export function altered (series: Series, change: (values: Float64Array) => void): Series {
  const values = series.values.slice()
  change(values)
  return { ...series, values }
}

export const SMALL: FitSettings = {
  ...FIT_DEFAULTS,
  maxGap: 2,
  causal: { ...FIT_DEFAULTS.causal, smoothing: 5 },
  batch: { ...FIT_DEFAULTS.batch, smoothing: 9 },
}

/** The linear detector on windows of 8, or as long as is said, fitted without TensorFlow. */
export async function fitLinear (
  series: readonly Series[],
  settings: FitSettings = SMALL,
  windowLength = 8
): Promise<FittedDetector<Reconstruction>> {
  return fitDetector(series, settings, [linearMember(windowLength)])
}

/** A lone linear member as fitDetector() takes it. */
export function linearMember (windowLength: number): MemberToFit<Reconstruction> {
  return {
    windowLength,
    tail: defaultTail(windowLength),
    learn: (windows) => ({ reconstruct: subspaceReconstruct(fitSubspace(windows, VARIANCE_SHARE)) }),
  }
}

/** A member as its settings name it. */
type NamedMember = MemberSettings & { readonly architecture: SolvedArchitecture }

/** Three members that differ in kind, window and tail; none of the windows is longest by its place. */
export const THREE: readonly NamedMember[] = [
  { architecture: 'linear', windowLength: 5, tail: 3 },
  { architecture: 'masked', windowLength: 12, tail: 4 },
  { architecture: 'linear', windowLength: 8, tail: 8 },
]

/** An ensemble of exactly solved members. */
export async function fitEnsemble (
  series: readonly Series[],
  settings: FitSettings = SMALL,
  members: readonly NamedMember[] = THREE
): Promise<FittedDetector<SolvedAutoencoder>> {
  return fitDetector(series, settings, members.map((member) => ({ ...member, learn: learnerOf(member.architecture) })))
}

/** Scores with null for "not scored", to compare with deep equality. */
export function scoresOf ({ score }: Pick<Detection, 'score'>): Array<number | null> {
  return Array.from(score, (value) => Number.isNaN(value) ? null : value)
}
