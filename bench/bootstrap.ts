// The confidence interval of a figure over files: a seeded percentile bootstrap (Efron 1979) over the files.
import { quantile } from '../core/quantile.ts'
import { createRandom } from '../core/random.ts'

const RESAMPLES = 2000

/** Lower and upper bound of the middle 95 %. */
export type Interval = readonly [number, number]

/**
 * The figures of resampled files, in the order in which they were drawn.
 * @param count number of files; each resample draws as many, with replacement
 * @param figure computes the figure of the files with these indices; for a paired difference, of both architectures
 */
export function resampled (count: number, figure: (drawn: readonly number[]) => number, seed: string): number[] {
  const random = createRandom(`bootstrap/${seed}`)
  return Array.from({ length: RESAMPLES }, () => figure(Array.from({ length: count }, () => random.integer(count))))
}

export const intervalOf = (figures: readonly number[]): Interval => [quantile(figures, 0.025), quantile(figures, 0.975)]

/** The interval of a figure over files; for the arguments see resampled(). */
export function bootstrap (count: number, figure: (drawn: readonly number[]) => number, seed: string): Interval {
  return intervalOf(resampled(count, figure, seed))
}
