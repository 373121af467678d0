// The whole detector: pattern evidence of autoencoders over windows, and evidence of single channels.
import type { EvidenceFit } from '../evidence/model.ts'
import type { PatternModel } from '../scoring/detection.ts'
import { withoutLevel } from '../scoring/level.ts'

/** All that was fitted or chosen, except the autoencoders' weights. Part of the manifest. */
export interface DetectorModel extends PatternModel {
  /** Evidence by scoring; null for a scoring that was not asked for. */
  readonly evidence: { readonly causal: EvidenceFit | null, readonly batch: EvidenceFit | null }
}

/**
 * The same detector with scores relative to the calibrated thresholds alone, also while a process has drifted.
 * @example
 * const wave = Array.from({ length: 60 }, (_, t) => Math.sin(t / 3))
 * const { model } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns: { wave } }))
 * withoutAdaptation(model).evidence.batch.adaptive // false
 */
export function withoutAdaptation (model: DetectorModel): DetectorModel {
  const { causal, batch } = model.evidence
  return {
    ...withoutLevel(model),
    evidence: {
      causal: causal && { ...causal, adaptive: false },
      batch: batch && { ...batch, adaptive: false },
    },
  }
}
