// Errors of members that measure each channel by itself.

/**
 * Turns the channels' mean squares into parts of each window's error, e = sqrt(Σ w_c s_c / channels), as
 * reconstructionError() splits it. Switches and channels that were constant in training do not vary enough to be
 * measured: only channels of weight 1 count, if there are any.
 * @param squares shape [windows × channels]; overwritten by the parts
 * @example
 * const squares = Float64Array.of(8, 0)
 * splitSquares(squares, [1, 1])
 * squares // [2, 0]
 */
export function splitSquares (squares: Float64Array, weights: readonly number[]): void {
  const channels = weights.length
  const counts = weights.map((weight) => weight === 1 || !weights.includes(1))
  for (let at = 0; at < squares.length; at += channels) {
    let sum = 0
    for (let c = 0; c < channels; c++) {
      if (!counts[c]!) squares[at + c] = 0
      sum += squares[at + c]!
    }
    const factor = sum === 0 ? 0 : Math.sqrt(sum / channels) / sum
    for (let c = 0; c < channels; c++) squares[at + c]! *= factor
  }
}
