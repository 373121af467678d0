// The distance between a window and its reconstruction, whole and per channel.

/**
 * What an autoencoder does, whatever it is made of: windows in, reconstructions out, both [count × width] flattened.
 * A window's reconstruction depends on that window alone, never on its neighbours in the call: scores would otherwise
 * depend on the batch size. Implemented by core/tfjs (LayersModels) and core/subspace.ts.
 */
export type Reconstruct = (windows: Float32Array, count: number) => Float32Array

export interface ErrorNorm {
  readonly channels: number
  /** Weight of each channel's squared residual. */
  readonly weights: readonly number[]
  /** Only the newest `tail` observations of the window count. */
  readonly tail: number
}

/**
 * Root of the weighted mean squared residual, e = sqrt(Σ w_c r² / (tail · channels)), split over channels in proportion to
 * their share of the sum, so that the parts add up to e exactly (up to rounding).
 * @param out receives the parts, shape [channels]
 */
export function reconstructionError (norm: ErrorNorm, window: Float32Array, reconstruction: Float32Array, out: Float64Array): void {
  const { channels, weights, tail } = norm
  const first = window.length - tail * channels
  let sum = 0
  for (let c = 0; c < channels; c++) {
    let squares = 0
    for (let i = first + c; i < window.length; i += channels) {
      const residual = window[i]! - reconstruction[i]!
      squares += residual * residual
    }
    out[c] = weights[c]! * squares
    sum += out[c]!
  }
  // An exact reconstruction blames no channel: equal parts of nothing.
  const factor = sum === 0 ? 0 : Math.sqrt(sum / (tail * channels)) / sum
  for (let c = 0; c < channels; c++) out[c]! *= factor
}
