// What proves a detector, for tests that write model packages.
import { makeGolden } from '../package/golden.ts'
import { type Golden } from '../package/manifest.ts'
import { type DetectorModel } from '../detector/model.ts'
import { NO_LEVEL } from '../scoring/level.ts'
import { type Autoencoder } from '../scoring/reconstruction-error.ts'
import { judgeOf } from '../sensitivity/judge.ts'
import { makeProbes } from '../sensitivity/probes.ts'
import { type Series } from '../series/series.ts'

/** The sheet of a detector that nothing was measured of. */
export const NOT_MEASURED = { observations: 0, falseAlarms: { batch: 0, causal: 0 }, findings: [] }

/** Golden scores of the series, and probes in it or in another that is normal. */
export function proofOf (
  model: DetectorModel,
  autoencoders: readonly Autoencoder[],
  series: Series,
  normal = series
): Golden {
  return {
    ...makeGolden(model, autoencoders, series),
    probes: makeProbes(judgeOf(model, autoencoders), [normal]),
  }
}

/** The model with thresholds above all scores of the series, for autoencoders of random weights. */
export function calmed (model: DetectorModel, autoencoders: readonly Autoencoder[], series: Series): DetectorModel {
  const judge = judgeOf(model, autoencoders)
  const raised = (scoring: 'batch' | 'causal'): DetectorModel['batch'] => {
    const highest = Math.max(...judge.detect(scoring, series).score.filter((score) => !Number.isNaN(score)))
    return { ...model[scoring], threshold: 1.1 * highest * model[scoring].threshold, level: NO_LEVEL }
  }
  return { ...model, batch: raised('batch'), causal: raised('causal') }
}
