// Request → series → detection → answer. Pure: equal requests to equal models give equal answers.
import { detectCausal } from '../../core/detector.ts'
import { detectBatch } from '../../core/hindsight.ts'
import { checkObserved } from '../../core/series.ts'
import { type ModelRegistry, type ServedModel } from '../models.ts'
import { type ComputeAnswer, type Part } from '../schemas/compute.ts'
import { type ComputeLimits } from '../workers/messages.ts'
import { buildAnswer } from './answer.ts'
import { checkLength, checkTimes, type ComputeInput } from './input.ts'

export interface Computed {
  readonly answer: ComputeAnswer
  /** On the grid. */
  readonly observations: number
}

/**
 * Scores the posted series with the wanted model.
 * @param parts parts of the answer instead of those that the request asks for
 * @throws Problem of the request's faults, or not-ready
 */
export async function compute (models: ModelRegistry<ServedModel>, input: ComputeInput, { maxValues }: ComputeLimits, parts?: readonly Part[]): Promise<Computed> {
  const model = input.model === undefined ? models.withChannels(input.channels) : models.get(input.model)
  const { detector } = model.manifest
  const posted = input.toSeries(detector, maxValues)
  // Merged duplicates may have left fewer observations than rows.
  checkLength(detector, posted.series.length, maxValues)
  checkTimes(posted.series)
  checkObserved(posted.series)
  const detect = input.options.scoring === 'batch' ? detectBatch : detectCausal
  const detection = detect(detector, model.reconstruct, posted.series)
  const options = parts === undefined ? input.options : { ...input.options, include: new Set(parts) }
  return { answer: buildAnswer({ ...posted, model, detection, options, timestamped: input.timestamped }), observations: posted.series.length }
}
