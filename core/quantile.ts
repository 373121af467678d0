// Quantiles by selection: only the values next to a quantile are moved to their sorted places.

/**
 * Quantile with linear interpolation between order statistics (Hyndman and Fan 1996, type 7); NaN is skipped.
 * @returns NaN if there is no value
 * @example
 * quantile([1, 2, 3, 4], 0.5) // 2.5
 */
export function quantile (values: ArrayLike<number>, q: number): number {
  return quantiles(values, [q])[0]!
}

/**
 * Several quantiles in one selection; NaN is skipped.
 * @example
 * quantiles([4, 1, NaN, 3, 2], [0, 0.5, 1]) // [1, 2.5, 4]
 */
export function quantiles (values: ArrayLike<number>, shares: readonly number[]): number[] {
  const known = withoutNaN(values)
  const last = known.length - 1
  if (last < 0) return shares.map(() => NaN)
  const above = (below: number): number => Math.min(below + 1, last)
  const ranks = new Set(shares.map((share) => Math.floor(share * last)).flatMap((below) => [below, above(below)]))
  select(known, Array.from(ranks).sort((a, b) => a - b), 0, known.length)
  return shares.map((share) => {
    const below = Math.floor(share * last)
    const low = known[below]!
    return low + (known[above(below)]! - low) * (share * last - below)
  })
}

/**
 * quantile() of values that are a copy of the caller's own: it reorders them.
 * @param values no value is NaN
 * @example
 * quantileInPlace(Float64Array.of(4, 1, 3, 2), 0.5) // 2.5
 */
export function quantileInPlace (values: Float64Array, q: number): number {
  const last = values.length - 1
  if (last < 0) return NaN
  const below = Math.floor(q * last)
  place(values, below, 0, values.length)
  const low = values[below]!
  const high = below === last ? low : smallest(values, below + 1, values.length)
  return low + (high - low) * (q * last - below)
}

/**
 * Moves the values in the middle to their sorted places: after this, those from (count − 2) / 2 to count / 2 stand
 * there.
 * @param count values that are compared, from the first; no value is NaN
 * @example
 * const values = Float64Array.of(9, 1, 7, 5, 3)
 * placeMiddle(values, 5)
 * values.slice(1, 4) // [3, 5, 7]
 */
export function placeMiddle (values: Float64Array, count: number): void {
  if (count < 2) return
  const middle = (count - 1) >> 1
  place(values, middle, 0, count)
  let before = 0
  for (let i = 1; i < middle; i++) if (values[i]! > values[before]!) before = i
  if (middle > 0) swap(values, before, middle - 1)
  let behind = middle + 1
  for (let i = behind + 1; i < count; i++) if (values[i]! < values[behind]!) behind = i
  swap(values, behind, middle + 1)
}

function swap (values: Float64Array, i: number, j: number): void {
  const value = values[i]!
  values[i] = values[j]!
  values[j] = value
}

function smallest (values: Float64Array, from: number, to: number): number {
  let low = Infinity
  for (let i = from; i < to; i++) if (values[i]! < low) low = values[i]!
  return low
}

/**
 * Median of the first values, which it reorders; the mean of the two in the middle of an even number.
 * @param count at least 1; no value is NaN
 * @example
 * medianInPlace(Float64Array.of(4, 1, 3, 9), 3) // 3
 * medianInPlace(Float64Array.of(4, 1, 3, 9), 4) // 3.5
 */
export function medianInPlace (values: Float64Array, count: number): number {
  const middle = count >> 1
  place(values, middle, 0, count)
  const high = values[middle]!
  if (count % 2 === 1) return high
  let low = -Infinity
  for (let i = 0; i < middle; i++) if (values[i]! > low) low = values[i]!
  return (low + high) / 2
}

function withoutNaN (values: ArrayLike<number>): Float64Array {
  const known = new Float64Array(values.length)
  let count = 0
  for (let i = 0; i < known.length; i++) {
    const value = values[i]!
    if (!Number.isNaN(value)) known[count++] = value
  }
  return known.subarray(0, count)
}

/** Moves the values of the given ranks (ascending) in [from, to) to their sorted places, the middle rank first. */
function select (values: Float64Array, ranks: readonly number[], from: number, to: number): void {
  if (ranks.length === 0) return
  const middle = ranks.length >> 1
  const rank = ranks[middle]!
  place(values, rank, from, to)
  select(values, ranks.slice(0, middle), from, rank + 1)
  select(values, ranks.slice(middle + 1), rank, to)
}

/** Partitions after which the rest is sorted: an unlucky order of the values must not cost quadratic time. */
const MOST_PARTS = 40

/** Hoare's selection: afterwards no value before `rank` is larger, and no value behind it is smaller. */
function place (values: Float64Array, rank: number, from: number, to: number): void {
  let first = from
  let last = to - 1
  for (let part = 0; first < last; part++) {
    if (part === MOST_PARTS) {
      values.subarray(first, last + 1).sort()
      return
    }
    // Larger values move behind `low`, smaller ones before `high`.
    const pivot = pivotFor(values, rank, first, last)
    let low = first
    let high = last
    while (low <= high) {
      while (values[low]! < pivot) low++
      while (values[high]! > pivot) high--
      if (low > high) break
      const value = values[low]!
      values[low++] = values[high]!
      values[high--] = value
    }
    if (rank <= high) last = high
    else if (rank >= low) first = low
    else return
  }
}

/** A pivot is chosen from SAMPLE values if a partition holds at least LARGE times as many. */
const SAMPLE = 32
const LARGE = 8

/** A value that probably stands near `rank`, so that one partition is small: a quantile of an evenly spaced sample. */
function pivotFor (values: Float64Array, rank: number, first: number, last: number): number {
  const count = last - first + 1
  if (count < LARGE * SAMPLE) return values[(first + last) >> 1]!
  const step = Math.floor(count / SAMPLE)
  const sample = new Float64Array(SAMPLE)
  for (let i = 0; i < SAMPLE; i++) sample[i] = values[first + i * step]!
  return sample.sort()[Math.floor((rank - first) / count * SAMPLE)]!
}
