// Laws that every way to learn an autoencoder must keep, as one list of named checks; model-creation/test crosses it
// with the architectures.
import { type TAP } from 'tap'
import { standardisedRuns } from '../series/runs.ts'
import { detectCausal } from '../detector/detector.ts'
import { fitDetector, type FitSettings, type FittedDetector, type MemberToFit } from '../fitting/fit.ts'
import { detectBatch } from '../detector/hindsight.ts'
import { createRandom } from '../random.ts'
import { type Autoencoder, type Reconstruct } from '../scoring/reconstruction-error.ts'
import { LARGEST_ERROR } from '../scoring/score.ts'
import { channelValues, fromColumns, type Series } from '../series/series.ts'
import { sampleWindows } from '../series/window.ts'
import { altered, scoresOf, SMALL, waves } from './synthetic.ts'

type Test = Pick<TAP, 'ok' | 'equal' | 'strictSame' | 'rejects' | 'fail' | 'testdir'>

/** What is checked. A is the autoencoder that it learns. */
export interface Subject<A extends Autoencoder> {
  /** Whether it draws random numbers. */
  readonly random: boolean
  /** Quick, and still trained: the laws must hold for a model that moved. The longest window is `windowLength`. */
  members (seed: number, windowLength: number): ReadonlyArray<MemberToFit<A>>
  /** All that was learnt, as bytes. */
  bytes (autoencoder: A): Promise<Uint8Array>
  /** Writes a model package whose golden scores are those of the series, with probes in normal data, and loads it. */
  packaged(
    directory: string,
    fitted: FittedDetector<A>,
    series: Series,
    normal: Series,
  ): Promise<{ autoencoders: readonly Autoencoder[], goldenDifference: number, dispose(): void }>
  /** Tensors that are alive now. */
  tensors (): number
}

interface Check {
  readonly name: string
  run<A extends Autoencoder> (t: Test, subject: Subject<A>): Promise<void>
}

/** Runs all checks over a subject; each also proves that no tensor is left behind. */
export function runChecks<A extends Autoencoder> (t: Pick<TAP, 'test'>, name: string, subject: Subject<A>): void {
  for (const check of CHECKS) {
    t.test(`${name}: ${check.name}`, async (t) => {
      const before = subject.tensors()
      await check.run(t, subject)
      t.equal(subject.tensors(), before, 'no tensor is left behind')
    })
  }
}

const SETTINGS: FitSettings = { ...SMALL, folds: 2 }

const WINDOW = 6

/** Evidence of the largest residual raises a pattern score at most this many times. */
const MOST_RISE = 100

interface FitOptions {
  readonly seed?: number
  readonly settings?: FitSettings
  readonly windowLength?: number
}

/** The corners of what may be trained on. */
const SHAPES: ReadonlyArray<readonly [string, Series, FitOptions]> = [
  ['one channel', waves(150, 1), {}],
  ['300 channels', waves(40, 300), { windowLength: 2 }],
  ['windows of one observation', waves(90, 3), { windowLength: 1 }],
  ['windows of 13 observations', waves(120, 2), { windowLength: 13 }],
  ['fewer windows than columns', waves(60, 8), { windowLength: 10, settings: { ...SETTINGS, maxWindows: 12 } }],
  ['fewer windows than a batch', waves(18, 2), {}],
]

/** Fits, hands over and disposes. */
async function withFit<A extends Autoencoder> (
  { members }: Subject<A>,
  series: Series,
  body: (fitted: FittedDetector<A>) => Promise<void> | void,
  { seed = 1, settings = SETTINGS, windowLength = WINDOW }: FitOptions = {}
): Promise<void> {
  const fitted = await fitDetector([series], settings, members(seed, windowLength))
  try {
    await body(fitted)
  } finally {
    for (const autoencoder of fitted.autoencoders) autoencoder.dispose?.()
  }
}

/** Reconstructs so many windows a call. */
function reconstructBy (
  size: number,
  reconstruct: Reconstruct,
  values: Float32Array,
  width: number
): Float32Array {
  const apart = new Float32Array(values.length)
  for (let from = 0; from < values.length; from += size * width) {
    const rows = values.subarray(from, Math.min(values.length, from + size * width))
    apart.set(reconstruct(rows, rows.length / width), from)
  }
  return apart
}

/** Channels in another order. */
function reordered (series: Series, order: readonly number[]): Series {
  const columns = Object.fromEntries(order.map((c) => [series.channels[c]!, Array.from(channelValues(series, c))]))
  return fromColumns({ start: series.start, interval: series.interval, columns })
}

const CHECKS: readonly Check[] = [
  {
    name: 'the same seed gives the same bits, another seed others where anything is random',
    run: async (t, subject) => {
      const series = waves(120, 2)
      const learnt = async (seed: number) => {
        const made: unknown[] = []
        await withFit(subject, series, async ({ model, autoencoders, calibration }) => {
          made.push(
            model,
            calibration,
            Buffer.concat(await Promise.all(autoencoders.map(async (member) => subject.bytes(member))))
          )
        }, { seed })
        return made
      }
      const [first, again, other] = [await learnt(1), await learnt(1), await learnt(2)]
      t.strictSame(again, first, 'weights, thresholds and calibration')
      t.equal(Buffer.compare(first[2] as Uint8Array, other[2] as Uint8Array) !== 0, subject.random)
    },
  },
  {
    name: 'the bits of a window do not depend on the windows beside it',
    run: async (t, subject) => {
      await withFit(subject, waves(120, 2), ({ model, autoencoders }) => {
        const [run] = standardisedRuns(waves(90, 2, 7), model.scaler, 0)
        for (const [m, { reconstruct }] of autoencoders.entries()) {
          const { values, count, width } = sampleWindows([run!.values], 2, model.members[m]!.windowLength, 1000)
          if (reconstruct === undefined) continue
          const together = reconstruct(values, count)
          for (const size of [1, 7]) {
            t.strictSame(reconstructBy(size, reconstruct, values, width), together, `member ${m}, ${size} at a time`)
          }
        }
      })
    },
  },
  {
    name: 'a package that is written and loaded scores the same bits and reproduces its golden scores',
    run: async (t, subject) => {
      const series = waves(120, 2)
      await withFit(subject, series, async (fitted) => {
        const fault = altered(series, (values) => values.fill(9, 160, 180))
        const loaded = await subject.packaged(t.testdir({}), fitted, fault, series)
        t.equal(loaded.goldenDifference, 0)
        for (const detect of [detectBatch, detectCausal]) {
          const [saved, made] = [
            detect(fitted.model, loaded.autoencoders, fault),
            detect(fitted.model, fitted.autoencoders, fault),
          ]
          t.strictSame(saved, made)
          t.ok(made.score.some((score) => score > 1), 'and the fault among them')
        }
        loaded.dispose()
      })
    },
  },
  {
    name:
      'channels in another order: the verdict on a fault and its channel are the same, ' +
      'and so is every score if nothing is random',
    run: async (t, subject) => {
      const order = [2, 0, 1]
      const normal = waves(200, 3)
      const faulty = altered(normal, (values) => { for (let i = 100; i < 130; i++) values[3 * i + 1] = 12 })
      const detections: Array<ReturnType<typeof detectBatch>> = []
      for (const permute of [(series: Series) => series, (series: Series) => reordered(series, order)]) {
        await withFit(subject, permute(normal), ({ model, autoencoders }) => {
          detections.push(detectBatch(model, autoencoders, permute(faulty)))
        })
      }
      const [as, permuted] = detections as [typeof detections[0], typeof detections[0]]
      for (const [{ score, contributions }, at] of [[as, 1], [permuted, order.indexOf(1)]] as const) {
        const peak = score.indexOf(Math.max(...score))
        t.ok(score[peak]! > 1.5 && peak >= 95 && peak < 135, `score ${score[peak]} at ${peak}`)
        const blamed = [0, 1, 2].map((c) =>
          contributions.subarray(300, 390).reduce((sum, share, i) => i % 3 === c ? sum + share / 30 : sum, 0)
        )
        t.ok(
          blamed.every((share, c) => c === at || share < blamed[at]!),
          `its channel ${at} is blamed first: ${blamed}`
        )
        // A fault as long as this one bends the running level around it.
        t.ok(score.subarray(0, 70).filter((value) => value > 1).length <= 4, 'what is normal is normal')
      }
      if (subject.random) return
      as.score.forEach((score, i) => {
        if (Math.abs(permuted.score[i]! - score) > 1e-4 * score) {
          t.fail(`observation ${i}: ${permuted.score[i]} and ${score}`)
        }
      })
      as.contributions.forEach((share, i) => {
        const other = permuted.contributions[i - i % 3 + order.indexOf(i % 3)]!
        if (Math.abs(other - share) > 1e-3) t.fail(`contribution ${i}: ${other} and ${share}`)
      })
    },
  },
  {
    name: 'training data without variance are reconstructed, and a departure is an anomaly',
    run: async (t, subject) => {
      const flat = fromColumns({
        start: 0,
        interval: 1000,
        columns: { a: Array<number>(80).fill(5.1), b: Array<number>(80).fill(0) },
      })
      await withFit(subject, flat, ({ model, autoencoders }) => {
        t.ok(detectBatch(model, autoencoders, flat).score.every((score) => score <= 1))
        const departed = altered(flat, (values) => { for (let i = 40; i < 50; i++) values[2 * i + 1]! += 1e-6 })
        const { score, contributions } = detectCausal(model, autoencoders, departed)
        t.ok(score[45]! > 1 && Number.isFinite(score[45]!), `score ${score[45]}`)
        t.ok(contributions[2 * 45 + 1]! > 0.5, 'its channel is blamed')
      })
    },
  },
  {
    name: 'a constant channel beside others does no harm, and is blamed when it departs',
    run: async (t, subject) => {
      const series = altered(waves(150, 3), (values) => values.forEach((_, i) => { if (i % 3 === 1) values[i] = 40 }))
      // Weighed like the others: by default a channel that never varied counts for little.
      const settings = { ...SETTINGS, switchWeight: 1 }
      await withFit(subject, series, ({ model, autoencoders }) => {
        const { score } = detectBatch(model, autoencoders, series)
        t.ok(
          score.every((value) => value >= 0) && score.filter((value) => value > 1).length < 30,
          'training data are mostly normal'
        )
        const departed = altered(series, (values) => {
          for (let i = 60; i < 80; i++) values[3 * i + 1] = 90
        })
        const [before, found] = [series, departed].map((whole) => detectCausal(model, autoencoders, whole))
        t.ok(
          found!.score[75]! > 1.5 * before!.score[75]! && Number.isFinite(found!.score[75]!),
          `${before!.score[75]} became ${found!.score[75]}`
        )
        t.ok(found!.contributions[3 * 75 + 1]! > 0.5, 'its channel is blamed')
      }, { settings })
    },
  },
  ...SHAPES.map(([shape, series, options]): Check => ({
    name: `${shape}: everything that is fitted and scored is finite`,
    run: async (t, subject) => {
      await withFit(subject, series, ({ model, autoencoders, calibration }) => {
        const { score } = detectBatch(model, autoencoders, series)
        t.ok(score.length === series.length && score.every((value) => Number.isFinite(value) && value >= 0))
        t.ok(
          calibration.causal.some(Number.isFinite) && calibration.causal.every((value) =>
            Number.isFinite(value) || Number.isNaN(value)
          )
        )
        t.ok(
          [model.causal.threshold, model.batch.threshold, ...model.margins].every((value) =>
            Number.isFinite(value) && value > 0
          )
        )
        t.ok(score.filter((value) => value > 1).length < series.length / 4, 'training data are mostly normal')
      }, options)
    },
  })),
  {
    name: 'too few observations for a window: training says so, causal scoring nothing, batch what is evident',
    run: async (t, subject) => {
      for (const length of [1, WINDOW]) {
        await t.rejects(fitDetector([waves(length, 2)], SETTINGS, subject.members(1, WINDOW)), {
          code: 'no-training-data',
          message: /at least 7 consecutive observations.*shorter window/,
        })
      }
      await withFit(subject, waves(60, 2), ({ model, autoencoders }) => {
        t.ok(scoresOf(detectCausal(model, autoencoders, waves(5, 2))).every((score) => score === null))
        t.ok(detectBatch(model, autoencoders, waves(5, 2)).score.every((score) => score < 1), 'by evidence alone')
        const spiked = altered(waves(5, 2), (values) => { values[4] = 99 })
        t.ok(detectBatch(model, autoencoders, spiked).score[2]! > 1, 'which finds a spike')
      })
    },
  },
  {
    name: 'scores do not depend on the unit of the values, from 1e-30 to 1e30',
    run: async (t, subject) => {
      const series = waves(90, 2)
      const scores: unknown[] = []
      // Powers of two scale without rounding, so even the bits are the same.
      for (const factor of [1, 2 ** -100, 2 ** 100]) {
        const scaled = altered(series, (values) => values.forEach((value, i) => { values[i] = value * factor }))
        await withFit(subject, scaled, ({ model, autoencoders }) => {
          const { score, expected } = detectBatch(model, autoencoders, scaled)
          t.ok(expected.every(Number.isFinite) && score.every(Number.isFinite))
          scores.push(score)
        })
      }
      t.strictSame(scores[1], scores[0])
      t.strictSame(scores[2], scores[0])
    },
  },
  {
    name:
      'values of 1e30 and 1e-30 that were never seen are scored, and the large ones are anomalies: ' +
      'far above 1, and at most the largest error over the threshold, raised by the largest ratio of evidence',
    run: async (t, subject) => {
      const random = createRandom('extremes')
      await withFit(subject, waves(90, 2), ({ model, autoencoders }) => {
        const extreme = altered(waves(60, 2), (values) => {
          for (let i = 60; i < 70; i++) values[i] = random.integer(2) === 0 ? 1e30 : 1e-30
        })
        for (const [detect, { threshold }] of [[detectBatch, model.batch], [detectCausal, model.causal]] as const) {
          const { score } = detect(model, autoencoders, extreme)
          const largest = Math.max(...score.subarray(34))
          t.ok(largest > 1e3 && largest < MOST_RISE * LARGEST_ERROR / threshold, `${largest}`)
          t.ok(score.subarray(6).every((value) => value >= 0), 'no score is NaN')
        }
      })
    },
  },
]
