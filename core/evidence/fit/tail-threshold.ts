// The threshold of one kind of evidence of one channel, from its values over normal data: peaks over threshold.
import { excessAt, fitPareto, peaksAbove } from '../../pareto.ts'
import { quantileInPlace } from '../../quantile.ts'

export interface TailOptions {
  /** Runs above the threshold per observation, > 0. */
  readonly rate: number
  /** Observations that one departure spreads over: 1, or half the span of a mean. */
  readonly dependence: number
  /** Most independent peaks that the confidence may count (twice the number of cycles of a season; else Infinity). */
  readonly mostPeaks: number
  /** Whether the tail is fitted to the squares of the values. */
  readonly squared: boolean
  /** Of 8 blocks of time, leave out so many whose excesses are largest (0: none). */
  readonly leftOut: number
}

/** Share of values above the level over which peaks count: at least; at most; and for so many independent values. */
const [LEAST_SHARE, MOST_SHARE, TAIL_VALUES] = [0.05, 0.5, 10]
/** Largest shapes of squares and of plain values. Thinner tails than exponential ones (shape 0) are not believed. */
const [SQUARED_SHAPE, PLAIN_SHAPE] = [0.8, 0.5]
const SHAPE_PRIOR = 30
/** The scale is raised by so many of its standard errors. */
const CONFIDENCE = 0.8

const BLOCKS = 8
/** Quantile over which the excesses of a block count. */
const BLOCK_LEVEL = 0.9
/** Fewer values make no blocks: then the largest value is left out, if there are at least FEWEST. */
const FEWEST_FOR_BLOCKS = 24
const FEWEST = 8

/** Bound on values that keeps sums of squares finite; far beyond every threshold. */
const LARGEST_VALUE = 1e75

/**
 * The value that runs of evidence exceed at a given rate. The scale of the tail is raised by its uncertainty, so that
 * few peaks give a higher threshold.
 * @param values evidence ≥ 0 in order of time, shape [length], in any unit; overwritten
 * @param included 1 where the value counts, shape [length]
 * @returns in the unit of the values; Infinity if no value counts
 * @example
 * const random = createRandom('tail')
 * const evidence = Float64Array.from({ length: 2000 }, () => Math.abs(random.normal()))
 * const options = { rate: 1e-5, dependence: 1, mostPeaks: Infinity, squared: true, leftOut: 0 }
 * tailThreshold(evidence, new Uint8Array(2000).fill(1), options) // 4.44…
 */
export function tailThreshold (values: Float64Array, included: Uint8Array, options: TailOptions): number {
  const tail = withoutLargest(select(values, included), options.leftOut)
  const count = tail.length
  if (count === 0) return Infinity
  if (options.squared) for (let i = 0; i < count; i++) tail[i] = tail[i]! * tail[i]!
  const share = Math.min(MOST_SHARE, Math.max(LEAST_SHARE, TAIL_VALUES * options.dependence / count))
  const level = quantileInPlace(tail.slice(), 1 - share)
  const threshold = level + excessOver(level, tail, options)
  return options.squared ? Math.sqrt(threshold) : threshold
}

/** What peaks over the level exceed at the rate; 0 if the level itself is exceeded less often. */
function excessOver (level: number, tail: Float64Array, { rate, mostPeaks, squared }: TailOptions): number {
  const peaks = peaksAbove(tail, level)
  if (peaks.length === 0) return 0
  const bounds = { lowest: 0, highest: squared ? SQUARED_SHAPE : PLAIN_SHAPE, prior: SHAPE_PRIOR }
  const { shape, scale } = fitPareto(peaks.map((peak) => peak - level), bounds)
  const raised = scale * (1 + CONFIDENCE / Math.sqrt(Math.min(peaks.length, mostPeaks)))
  return excessAt({ shape, scale: raised }, Math.min(1, rate * tail.length / peaks.length))
}

/** Moves the included values, bounded, to the beginning. */
function select (values: Float64Array, included: Uint8Array): Float64Array {
  let count = 0
  for (let i = 0; i < values.length; i++) {
    if (included[i] === 1) values[count++] = Math.min(values[i]!, LARGEST_VALUE)
  }
  return values.subarray(0, count)
}

/** Moves to the beginning what lies outside the blocks with the largest excesses; of few values all but the largest. */
function withoutLargest (values: Float64Array, leftOut: number): Float64Array {
  const count = values.length
  if (leftOut === 0 || count < FEWEST) return values
  if (count < FEWEST_FOR_BLOCKS) {
    const largest = values.indexOf(values.reduce((most, value) => Math.max(most, value)))
    return values.filter((_, i) => i !== largest)
  }
  const level = quantileInPlace(values.slice(), BLOCK_LEVEL)
  const blocks = Array.from({ length: BLOCKS }, (_, block) => {
    const part = values.subarray(Math.floor(block * count / BLOCKS), Math.floor((block + 1) * count / BLOCKS))
    let excess = 0
    for (let i = 0; i < part.length; i++) excess += Math.max(0, part[i]! - level)
    return { part, excess }
  })
  const worst = new Set(blocks.toSorted((a, b) => a.excess - b.excess).slice(BLOCKS - leftOut))
  let end = 0
  for (const block of blocks) {
    if (worst.has(block)) continue
    values.set(block.part, end)
    end += block.part.length
  }
  return values.subarray(0, end)
}
