// What a stored LayersModel consists of.
import type { io } from '@tensorflow/tfjs'

/** A LayersModel as JSON topology and bytes. */
export interface SavedModel {
  readonly topology: unknown
  readonly weightSpecs: io.WeightsManifestEntry[]
  readonly weights: Uint8Array
}
