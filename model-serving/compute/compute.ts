// Request → series → detection → answer. Pure: equal requests to equal models give equal answers.
import { AD_HOC_LEAST } from '../../core/fitting/ad-hoc.ts'
import type { Detection } from '../../core/scoring/detection.ts'
import { detectCausal } from '../../core/detector/detector.ts'
import { detectBatch } from '../../core/detector/hindsight.ts'
import { pointer, Problem } from '../../core/errors.ts'
import { withoutAdaptation } from '../../core/detector/model.ts'
import { checkObserved } from '../../core/series/series.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import { AD_HOC } from '../packages/identity.ts'
import type { ModelInService, ModelLookup } from '../packages/resident-models.ts'
import type { ComputeAnswer, Part } from '../schemas/compute.ts'
import type { ComputeLimits } from '../settings/config.ts'
import { adHocModel } from './ad-hoc.ts'
import { buildAnswer, buildPlot, type ModelInUse } from './answer/answer.ts'
import { checkLength, checkTimes, type ComputeInput, type PostedSeries, type WantedSeries } from './read/input.ts'
import { type Verdicts, verdictsOf } from './answer/verdicts.ts'

export interface Computed extends Pick<PostedSeries, 'series'> {
  readonly model: ComputeAnswer['model']
  /** The version in the catalogue; undefined for a model that was fitted on the series. */
  readonly ref: VersionRef | undefined
  readonly input: ComputeInput
  readonly detection: Detection
  readonly judged: Verdicts
  /** @param parts parts of the answer; default: those in the request */
  answer (parts?: readonly Part[]): ComputeAnswer
  /** The parts that a plot shows. */
  plot (): ReturnType<typeof buildPlot>
}

/**
 * Scores the posted series with the requested model, or with a model fitted on the series.
 * @throws Problem of the request
 */
export async function compute (models: ModelLookup, input: ComputeInput, limits: ComputeLimits): Promise<Computed> {
  const served = await servedModel(models, input)
  if (served !== undefined) return computeWith(served, input, limits)
  const wanted = {
    channels: input.channels,
    interval: undefined,
    least: AD_HOC_LEAST,
    because: `to fit a model on it, at least ${AD_HOC_LEAST} are needed`,
  }
  const posted = checkedSeries(input, wanted, limits)
  const { options, numbered } = input
  const model = await adHocModel(posted.series, { ...options, numbered }, limits.adHocMaxValues)
  return score(model, undefined, posted, input)
}

/** Scores the posted series with this model. @throws Problem of the request */
export async function computeWith (
  { manifest: { detector, name, architecture, sensitivity }, version, digest, stale, autoencoders }: ModelInService,
  input: ComputeInput,
  limits: ComputeLimits
): Promise<Computed> {
  if (input.options.fit !== undefined) {
    throw new Problem(
      'invalid-request',
      `The model "${name}" is already fitted; leave out the part to fit on, or set the model to "${AD_HOC}".`,
      { items: [{ pointer: pointer(...input.options.fit.at), detail: `only for the model "${AD_HOC}"` }] }
    )
  }
  const wanted = {
    channels: detector.channels,
    interval: detector.interval,
    least: detector.windowLength,
    because: `the model needs at least ${detector.windowLength}, its window`,
  }
  const identity = { name, version, digest, architecture, ...(stale && { stale }) }
  return score(
    { identity, detector, autoencoders, sensitivity, notices: [] },
    { name, version, digest },
    checkedSeries(input, wanted, limits),
    input
  )
}

function score (model: ModelInUse, ref: VersionRef | undefined, posted: PostedSeries, input: ComputeInput): Computed {
  const detect = input.options.scoring === 'batch' ? detectBatch : detectCausal
  const detector = input.options.adaptive ? model.detector : withoutAdaptation(model.detector)
  const detection = detect(detector, model.autoencoders, posted.series)
  const judged = verdictsOf(model.detector, posted.series, detection, input.options)
  const scored = { ...posted, model, detection, judged, timestamped: input.timestamped, numbered: input.numbered }
  return {
    model: model.identity,
    ref,
    input,
    series: posted.series,
    detection,
    judged,
    plot: () => buildPlot({ ...scored, options: input.options }),
    answer: (parts) =>
      buildAnswer({
        ...scored,
        options: parts === undefined ? input.options : { ...input.options, include: new Set(parts) },
      }),
  }
}

/** Undefined if a model must be fitted. */
async function servedModel (
  models: ModelLookup,
  { model, channels }: ComputeInput
): Promise<ModelInService | undefined> {
  if (model === AD_HOC) return undefined
  return model === undefined ? models.withChannels(channels) : models.get(model)
}

function checkedSeries (input: ComputeInput, wanted: WantedSeries, { maxValues }: ComputeLimits): PostedSeries {
  const posted = input.toSeries(wanted, maxValues)
  // Merged duplicates may have left fewer observations than rows.
  checkLength(wanted, posted.series.length, maxValues)
  checkTimes(posted.series)
  checkObserved(posted.series)
  return posted
}
