// Request → series → detection → answer. Pure: equal requests to equal models give equal answers.
import { AD_HOC_LEAST } from '../../core/ad-hoc.ts'
import { detectCausal } from '../../core/detector.ts'
import { detectBatch } from '../../core/hindsight.ts'
import { pointer, Problem } from '../../core/errors.ts'
import { withoutLevel } from '../../core/level.ts'
import { checkObserved } from '../../core/series.ts'
import { AD_HOC, type ModelRegistry, type ServedModel } from '../models.ts'
import type { ComputeAnswer, Part } from '../schemas/compute.ts'
import type { ComputeLimits } from '../workers/messages.ts'
import { adHocModel } from './ad-hoc.ts'
import { buildAnswer, buildPlot, type ModelInUse } from './answer.ts'
import { checkLength, checkTimes, type ComputeInput, type PostedSeries, type WantedSeries } from './input.ts'
import { verdictsOf } from './verdicts.ts'

export interface Computed {
  readonly model: ComputeAnswer['model']
  /** On the grid. */
  readonly observations: number
  /** @param parts parts of the answer instead of those that the request asks for */
  answer (parts?: readonly Part[]): ComputeAnswer
  /** All that a plot has a mark for. */
  plot (): ReturnType<typeof buildPlot>
}

/**
 * Scores the posted series with the wanted model, or with one that is fitted on it.
 * @throws Problem of the request's faults, or not-ready
 */
export async function compute (models: ModelRegistry<ServedModel>, input: ComputeInput, limits: ComputeLimits): Promise<Computed> {
  const { model, posted } = await modelAndSeries(models, input, limits)
  const detect = input.options.scoring === 'batch' ? detectBatch : detectCausal
  const detector = input.options.adaptive ? model.detector : withoutLevel(model.detector)
  const detection = detect(detector, model.autoencoders, posted.series)
  const judged = verdictsOf(model.detector, posted.series, detection, input.options)
  const scored = { ...posted, model, detection, judged, timestamped: input.timestamped, numbered: input.numbered }
  return {
    model: model.identity,
    observations: posted.series.length,
    plot: () => buildPlot({ ...scored, options: input.options }),
    answer: (parts) => buildAnswer({ ...scored, options: parts === undefined ? input.options : { ...input.options, include: new Set(parts) } }),
  }
}

async function modelAndSeries (models: ModelRegistry<ServedModel>, input: ComputeInput, limits: ComputeLimits): Promise<{ model: ModelInUse, posted: PostedSeries }> {
  const served = servedModel(models, input)
  if (served === undefined) {
    const wanted = { channels: input.channels, interval: undefined, least: AD_HOC_LEAST, because: `to fit a model on it, at least ${AD_HOC_LEAST} are needed` }
    const posted = checkedSeries(input, wanted, limits)
    return { model: await adHocModel(posted.series, input.options.fit, limits.adHocMaxValues), posted }
  }
  const { manifest: { detector, name, version, architecture }, digest, autoencoders } = served
  if (input.options.fit !== undefined) {
    throw new Problem('invalid-request', `The model "${name}" is fitted already; leave out what to fit on, or set the model to "${AD_HOC}".`,
      { items: [{ pointer: pointer(...input.options.fit.at), detail: `only for the model "${AD_HOC}"` }] })
  }
  const wanted = { channels: detector.channels, interval: detector.interval, least: detector.windowLength, because: `the model needs at least ${detector.windowLength}, its window` }
  return { model: { identity: { name, version, digest, architecture }, detector, autoencoders }, posted: checkedSeries(input, wanted, limits) }
}

/** Undefined where a model must be fitted. */
function servedModel (models: ModelRegistry<ServedModel>, { model, channels }: ComputeInput): ServedModel | undefined {
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
