// A trial of one candidate: fits it on the earlier part of the training series, and judges it on their last part, the
// validation tail.
import { isAnomalous } from '../../core/scoring/threshold.ts'
import { type DetectorModel } from '../../core/detector/model.ts'
import { type Detection, type Scoring } from '../../core/scoring/detection.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { Problem } from '../../core/errors.ts'
import { fitDetector, type Learn, type MemberToFit } from '../../core/fitting/fit.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { maskedAutoencoder, subspaceAutoencoder } from '../../core/linear/linear.ts'
import { fitMasked } from '../../core/linear/masked.ts'
import { learnerOf } from '../../core/fitting/members.ts'
import { vusPr } from '../../core/metrics/index.ts'
import { ratio } from '../../core/metrics/confusion.ts'
import { countOf, runsOf } from '../../core/metrics/runs.ts'
import { createRandom } from '../../core/random.ts'
import { type Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { heldOutFrom } from '../../core/sensitivity/held-out.ts'
import { fitScaler } from '../../core/series/scaler.ts'
import { type Series, slice } from '../../core/series/series.ts'
import { fitSubspace } from '../../core/linear/subspace.ts'
import { loadBackend } from '../../adapters/tfjs/backend.ts'
import { isMeasure } from '../architectures/measures.ts'
import { membersOf, type NamedMember, toFit } from '../stages/members.ts'
import { type Params } from '../settings/params.ts'
import { type Candidate, trainOf } from './candidates.ts'
import { anomaliesIn, inject, type Injected, type Kind, kindsFor } from './injections.ts'

/** Minimum number of observations in all tails together. */
const LEAST_TAIL = 60
/** Observations before the tail for the detector's warm-up: the same number for every candidate. */
const LEAD = 256
/** Target number of anomalies of each kind. Short tails are injected several times to reach it. */
const ANOMALIES = 20
/** How often a tail is injected at most. */
const MOST_COPIES = 5
/** Longest buffer of VUS-PR around an injected anomaly, as a share of the longest anomaly. */
const BUFFER_SHARE = 0.25

/** A tail with its lead; the tail begins at `from`. */
interface Tail {
  readonly from: number
  readonly normal: Series
  readonly injected: ReadonlyArray<Injected & { readonly kind: Kind }>
}

/** The data that candidates are fitted on and judged by: the same for all of them. */
export interface Course {
  readonly fitted: readonly Series[]
  readonly tails: readonly Tail[]
  readonly kinds: readonly Kind[]
  /** Longest buffer of VUS-PR, in observations. */
  readonly buffer: number
}

/** A candidate's results: means over kinds, series and both scorings, unless a scoring is named. */
export interface Trial {
  readonly candidate: Candidate
  readonly vusPr: number
  /** In the untouched tails: anomalies per 1000 scored observations, and the percentage of these that is flagged. */
  readonly falseAnomalies: number
  readonly flagged: number
  readonly batch: number
  readonly causal: number
  readonly kinds: Readonly<Record<string, number>>
  /** Number of values in the candidate's windows: fewer means simpler. */
  readonly width: number
}

/**
 * Cuts the tails off the training series, and injects anomalies into copies of them.
 * @throws Problem no-training-data if the tails are too short or no channel varies
 */
export function layCourse (
  training: readonly Series[],
  { seed, lengths: wanted }: { seed: number, lengths: readonly number[] }
): Course {
  const splits = training.map((series) => heldOutFrom(series.length))
  const tails = training.map((series, i) => slice(series, splits[i]!, series.length))
  const observations = tails.reduce((sum, tail) => sum + tail.length, 0)
  if (observations < LEAST_TAIL) {
    throw new Problem(
      'no-training-data',
      `The training part is too short to keep a quarter of it for validation: ${observations} observations, ` +
        `at least ${LEAST_TAIL} are needed; train on more data.`
    )
  }
  const fitted = training.map((series, i) => slice(series, 0, splits[i]!))
  const { channels } = training[0]!
  const scaler = fitScaler(fitted.map(({ values }) => values), channels.length)
  const longest = Math.floor(Math.min(...training.map((series, i) => series.length - splits[i]!)) / 2)
  const lengths = wanted.filter((length) => length <= longest)
  if (lengths.length === 0) {
    throw new Problem(
      'invalid-settings',
      `--lengths names anomalies of at least ${Math.min(...wanted)} observations; the validation part has room ` +
        `for at most ${longest}. Name shorter ones, or train on more data.`
    )
  }
  if (scaler.scale.every((scale) => scale === 0)) {
    throw new Problem(
      'no-training-data',
      'No channel varies in the training part, so candidates cannot be compared; add channels that do.'
    )
  }
  const kinds = kindsFor(channels.length)
  const copies = Math.min(
    MOST_COPIES,
    Math.ceil(ANOMALIES / tails.reduce((sum, tail) => sum + anomaliesIn(tail.length, lengths), 0))
  )
  const laid = tails.flatMap((tail, i) => {
    if (tail.length === 0) return []
    const trained = fitted[i]!
    const injected = kinds.flatMap((kind) =>
      Array.from(
        { length: copies },
        (_, copy) => ({
          kind,
          ...inject(tail, {
            kind,
            lengths,
            elsewhere: trained,
            scaler,
            random: createRandom(`search/${seed}/${i}/${kind}/${copy}`),
          }),
        })
      )
    )
    return [withLead(trained, tail, injected)]
  })
  return { fitted, kinds, tails: laid, buffer: Math.ceil(BUFFER_SHARE * Math.max(...lengths)) }
}

/** Puts the lead in front of the tail and its copies. */
function withLead (trained: Series, tail: Series, injected: Tail['injected']): Tail {
  const from = Math.min(LEAD, trained.length)
  const lead = slice(trained, trained.length - from, trained.length)
  return {
    from,
    normal: joined(lead, tail),
    injected: injected.map((copy) => ({ ...copy, series: joined(lead, copy.series) })),
  }
}

function joined (before: Series, after: Series): Series {
  const values = new Float64Array(before.values.length + after.values.length)
  values.set(before.values)
  values.set(after.values, before.values.length)
  return { ...before, length: before.length + after.length, values }
}

/** Fits a candidate and judges it. @throws Problem no-training-data, invalid-settings if it cannot be fitted */
export async function tryOut (course: Course, base: Params['train'], candidate: Candidate): Promise<Trial> {
  const params = trainOf(base, candidate)
  const members = membersOf(params, course.fitted)
  const { maxGap, maxWindows, folds, switchWeight, constantWeight, causal, batch } = params
  const { model, autoencoders } = await fitDetector<Autoencoder>(course.fitted, {
    maxGap,
    maxWindows,
    folds,
    switchWeight,
    constantWeight,
    causal,
    batch,
  }, await learners(params, members))
  try {
    const width = members.reduce((sum, { windowLength }) => sum + windowLength, 0) * model.channels.length
    return { candidate, ...judge(course, model, autoencoders), width }
  } finally {
    for (const autoencoder of autoencoders) autoencoder.dispose?.()
  }
}

/** The kernel runs exactly solved autoencoders; only others need TensorFlow.js. */
async function learners (
  params: Params['train'],
  members: readonly NamedMember[]
): Promise<Array<MemberToFit<Autoencoder>>> {
  const solved = members.flatMap(({ architecture, ...settings }) => {
    const learn = isMeasure(architecture)
      ? learnerOf(architecture)
      : solverOf(architecture, params.architectures[architecture])
    return learn === undefined ? [] : [{ ...settings, learn }]
  })
  if (solved.length === members.length) return solved
  return toFit(members, params, { backend: await loadBackend(params.backend), seed: params.seed, onEpoch: () => {} })
}

function solverOf (architecture: string, section: Readonly<Record<string, unknown>>): Learn<Autoencoder> | undefined {
  if (architecture === 'linear') {
    return (windows) => subspaceAutoencoder(fitSubspace(windows, Number(section['varianceShare'])), windows.channels)
  }
  if (architecture === 'masked') {
    return (windows) => maskedAutoencoder(fitMasked(windows, Number(section['ridge'])), windows.channels)
  }
  return undefined
}

const SCORINGS = { batch: detectBatch, causal: detectCausal } as const

function judge (
  { tails, kinds, buffer }: Course,
  model: DetectorModel,
  autoencoders: readonly Autoencoder[]
): Omit<Trial, 'candidate' | 'width'> {
  const detect = (scoring: Scoring, series: Series): Detection => SCORINGS[scoring](model, autoencoders, series)
  const volumes = (scoring: Scoring): ReadonlyArray<{ kind: Kind, volume: number }> =>
    tails.flatMap(({ from, injected }) =>
      injected.map(({ kind, series, labels }) => ({
        kind,
        volume: vusPr(labels, detect(scoring, series).score.subarray(from), buffer),
      }))
    )
  const [batch, causal] = [volumes('batch'), volumes('causal')]
  const both = [...batch, ...causal]
  const ofKind = (wanted: Kind): number => mean(both.flatMap(({ kind, volume }) => kind === wanted ? [volume] : []))
  return {
    vusPr: mean(both.map(({ volume }) => volume)),
    ...falseAlarms(
      (['batch', 'causal'] as const).flatMap((scoring) =>
        tails.map(({ from, normal }) => detect(scoring, normal).score.subarray(from))
      )
    ),
    batch: mean(batch.map(({ volume }) => volume)),
    causal: mean(causal.map(({ volume }) => volume)),
    kinds: Object.fromEntries(kinds.map((kind) => [kind, ofKind(kind)])),
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Counts false anomalies and flagged observations; both are 0 if nothing is scored. */
function falseAlarms (scores: readonly Float64Array[]): Pick<Trial, 'falseAnomalies' | 'flagged'> {
  let [anomalies, flagged, scored] = [0, 0, 0]
  for (const score of scores) {
    const flags = Uint8Array.from(score, (value) => isAnomalous(value) ? 1 : 0)
    anomalies += runsOf(flags).length
    flagged += countOf(flags)
    scored += score.filter((value) => !Number.isNaN(value)).length
  }
  return { falseAnomalies: 1000 * ratio(anomalies, scored), flagged: 100 * ratio(flagged, scored) }
}
