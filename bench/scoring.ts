// Fits an architecture with default settings on a benchmark file's training prefix, and scores the whole file with both
// scorings.
import { type Scoring } from '../core/scoring/detection.ts'
import { detectCausal } from '../core/detector/detector.ts'
import { FIT_DEFAULTS, fitDetector, type MemberToFit } from '../core/fitting/fit.ts'
import { detectBatch } from '../core/detector/hindsight.ts'
import { isSolved, learnerOf } from '../core/fitting/members.ts'
import { type Autoencoder } from '../core/scoring/reconstruction-error.ts'
import { slice } from '../core/series/series.ts'
import { loadBackend } from '../adapters/tfjs/backend.ts'
import { membersOf, toFit } from '../model-creation/stages/members.ts'
import { type Params, ParamsSchema } from '../model-creation/settings/params.ts'
import { type BenchmarkFile } from './datasets.ts'

export type Architecture = Params['train']['architecture']

/** Shape [length] each; NaN where not scored. */
export type Scores = Readonly<Record<Scoring, Float64Array>>

export async function scoreFile (architecture: Architecture, { series, train }: BenchmarkFile): Promise<Scores> {
  const training = [slice(series, 0, train)]
  const params = ParamsSchema.parse({ train: { architecture } }).train
  const { model, autoencoders } = await fitDetector<Autoencoder>(
    training,
    FIT_DEFAULTS,
    await learners(params, membersOf(params, training))
  )
  const scores = {
    batch: detectBatch(model, autoencoders, series).score,
    causal: detectCausal(model, autoencoders, series).score,
  }
  for (const autoencoder of autoencoders) autoencoder.dispose?.()
  return scores
}

/** The kernel runs exactly solved autoencoders; TensorFlow.js is loaded only for the others. */
async function learners (
  params: Params['train'],
  members: ReturnType<typeof membersOf>
): Promise<Array<MemberToFit<Autoencoder>>> {
  const solved = members.flatMap(({ architecture, ...settings }) =>
    isSolved(architecture) ? [{ ...settings, learn: learnerOf(architecture) }] : []
  )
  if (solved.length === members.length) return solved
  return toFit(members, params, { backend: await loadBackend('wasm'), seed: 1, onEpoch: () => {} })
}
