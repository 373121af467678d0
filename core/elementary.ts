// Logarithm, exponential, power and sine from sums, products and quotients alone: the same bits on every machine. Those
// of Math may differ in the last bit between machines, and so would all that is fitted on them.

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
const SINE_TERMS = 9
const LARGEST_EXPONENT = 700
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

/**
 * A power of a number: x^p = exp(p ln x), within 1e-12 of it. Powers beyond e^±700 are those bounds.
 * @param x 0, or in [2⁻¹⁰²², ∞]
 * @param power any finite number but 0 where x is 0 or ∞
 * @example
 * pow(2, 0.5) // 1.41421356237…
 * pow(0, 2) // 0
 */
export function pow (x: number, power: number): number {
  if (x === 0 || x === Infinity) return (x === 0) === (power > 0) ? 0 : Infinity
  return exp(Math.max(-LARGEST_EXPONENT, Math.min(LARGEST_EXPONENT, power * ln(x))))
}

/**
 * Sine of a number of half turns, sin πx.
 * @param x in [−2, 2]
 * @example
 * sinPi(0.5) // 1
 * sinPi(1.5) // -1
 */
export function sinPi (x: number): number {
  if (x < 0) return -sinPi(-x)
  // All differences are exact, and the series run over at most an eighth turn.
  if (x > 1) return -sinPi(x - 1)
  if (x > 0.5) return sinPi(1 - x)
  const usesCosine = x > 0.25
  const angle = Math.PI * (usesCosine ? 0.5 - x : x)
  const first = usesCosine ? 0 : 1
  let sum = 1
  for (let n = 2 * SINE_TERMS + first; n > first; n -= 2) sum = 1 - sum * angle * angle / (n * (n - 1))
  return usesCosine ? sum : sum * angle
}
