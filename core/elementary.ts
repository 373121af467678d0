// Logarithm and exponential from sums, products and quotients alone: the same bits on every machine. Math.log and
// Math.exp may differ in the last bit between machines, and so would all that is fitted on them.

const LN2 = 0.6931471805599453
const SQRT2 = 1.4142135623730951

/** One number, seen as 64 bits: sign, 11 bits of exponent, 52 of fraction. The high word comes second. */
const value = new Float64Array(1)
const words = new Uint32Array(value.buffer)
const HIGH = 1
const EXPONENT_BIAS = 1023
const FRACTION = 0x000fffff

/** Terms of the series: s² ≤ .03 makes the next one smaller than the rounding of the sum. */
const LN_TERMS = 11
const EXP_TERMS = 14
/** 1, 1/3, 1/5, … */
const ODD = Float64Array.from({ length: LN_TERMS + 1 }, (_, k) => 1 / (2 * k + 1))

/**
 * Natural logarithm of a normal number above 0: x = 2ᵏ m with m near 1, and ln m = 2 artanh s, s = (m − 1) / (m + 1).
 * @param x in [2⁻¹⁰²², ∞)
 * @example
 * ln(1) // 0
 * ln(10) // 2.302585092994…
 */
export function ln (x: number): number {
  value[0] = x
  const high = words[HIGH]!
  let exponent = (high >>> 20) - EXPONENT_BIAS
  words[HIGH] = (high & FRACTION) | (EXPONENT_BIAS << 20)
  let m = value[0]!
  if (m > SQRT2) {
    m /= 2
    exponent++
  }
  const s = (m - 1) / (m + 1)
  const square = s * s
  let sum = ODD[LN_TERMS]!
  for (let k = LN_TERMS - 1; k >= 0; k--) sum = sum * square + ODD[k]!
  return exponent * LN2 + 2 * s * sum
}

/**
 * Exponential of a number whose result is neither subnormal nor infinite: eˣ = 2ᵏ eʳ with |r| ≤ ½ ln 2.
 * @param x in [−700, 700]
 * @example
 * exp(0) // 1
 * exp(1) // 2.718281828459…
 */
export function exp (x: number): number {
  const k = Math.round(x / LN2)
  const r = x - k * LN2
  let sum = 1
  for (let n = EXP_TERMS; n >= 1; n--) sum = 1 + sum * r / n
  words[HIGH] = (k + EXPONENT_BIAS) << 20
  words[1 - HIGH] = 0
  return sum * value[0]!
}
