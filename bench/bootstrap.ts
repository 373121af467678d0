// How sure a figure over files is: percentile bootstrap (Efron 1979) over the files, seeded.
import { quantile } from '../core/quantile.ts'
import { createRandom } from '../core/random.ts'

const RESAMPLES = 2000

/** Lower and upper end of the middle 95 %. */
export type Interval = readonly [number, number]

/**
 * @param count files to draw from, as many with replacement for each resample
 * @param figure of the files of these indices; a paired difference draws the same files for both sides
 */
export function bootstrap (count: number, figure: (drawn: readonly number[]) => number, seed: string): Interval {
  const random = createRandom(`bootstrap/${seed}`)
  const figures = Array.from(
    { length: RESAMPLES },
    () => figure(Array.from({ length: count }, () => random.integer(count)))
  )
  return [quantile(figures, 0.025), quantile(figures, 0.975)]
}
