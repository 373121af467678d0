// The confidence interval of a figure over files: a seeded percentile bootstrap (Efron 1979) over the files.
import { quantile } from '../core/quantile.ts'
import { createRandom } from '../core/random.ts'

const RESAMPLES = 2000

/** Lower and upper bound of the middle 95 %. */
export type Interval = readonly [number, number]

/**
 * @param count number of files; each resample draws as many, with replacement
 * @param figure computes the figure of the files with these indices; for a paired difference, of both architectures
 */
export function bootstrap (count: number, figure: (drawn: readonly number[]) => number, seed: string): Interval {
  const random = createRandom(`bootstrap/${seed}`)
  const figures = Array.from(
    { length: RESAMPLES },
    () => figure(Array.from({ length: count }, () => random.integer(count)))
  )
  return [quantile(figures, 0.025), quantile(figures, 0.975)]
}
