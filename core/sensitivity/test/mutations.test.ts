// The checks are under test: detectors that are broken on purpose must not pass them, and whole ones must. No golden
// score is compared: probes know verdicts alone.
import t from 'tap'
import { FIT_DEFAULTS, fitDetector, type FittedDetector } from '../../fitting/fit.ts'
import { defaultMembers, learnerOf, type SolvedAutoencoder } from '../../fitting/members.ts'
import type { Problem } from '../../errors.ts'
import { createRandom } from '../../random.ts'
import type { DetectorModel } from '../../detector/model.ts'
import type { ChannelEvidence, EvidenceFit, Thresholds } from '../../evidence/model.ts'
import type { Detection, Scoring } from '../../scoring/detection.ts'
import type { Autoencoder, Reconstruction } from '../../scoring/reconstruction-error.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { waves } from '../../test/synthetic.ts'
import { type Judge, judgeOf } from '../judge.ts'
import { checkProbes, makeProbes, type Probes } from '../probes.ts'

const LENGTH = 900

/** Kinds of process; a seed gives other data of the same process. */
const PROCESSES: Readonly<Record<string, (seed: number) => Series>> = {
  'one wave': (seed) => waves(LENGTH, 1, seed),
  'three waves': (seed) => waves(LENGTH, 3, seed),
  'white noise': (seed) => made(seed, ({ normal }) => ({ a: normal(), b: 50 + 4 * normal() })),
  'one thing in four units': (seed) =>
    made(seed, ({ normal }) => {
      const common = normal()
      const unit = (factor: number): number => factor * (10 + common + 0.3 * normal())
      return { w: unit(1), x: unit(20), y: unit(0.01), z: unit(-3) }
    }),
  'a wandering level': (seed) => {
    const last = { a: 0, b: 0 }
    return made(seed, ({ normal }) => {
      last.a = 0.9 * last.a + normal()
      last.b = 0.6 * last.b + 0.5 * last.a + normal()
      return { ...last }
    })
  },
}

function made (seed: number, row: (random: ReturnType<typeof createRandom>) => Record<string, number>): Series {
  const random = createRandom(`mutations/${seed}`)
  const rows = Array.from({ length: LENGTH }, () => row(random))
  const names = Object.keys(rows[0]!)
  const columns = Object.fromEntries(names.map((name) => [name, rows.map((one) => one[name]!)]))
  return fromColumns({ start: 0, interval: 60_000, columns })
}

type Fitted = Pick<FittedDetector<SolvedAutoencoder>, 'model' | 'autoencoders'>

async function fit (series: Series): Promise<Fitted> {
  const members = defaultMembers(series.length, series.channels.length).map(({ architecture, ...member }) => ({
    ...member,
    learn: learnerOf(architecture),
  }))
  return fitDetector([series], FIT_DEFAULTS, members)
}

/** Breaks a detector; undefined if it has no part that could be broken in this way. */
type Mutation = (fitted: Fitted) => Judge | undefined

const ofModel = (change: (model: DetectorModel) => DetectorModel): Mutation => ({ model, autoencoders }) =>
  judgeOf(change(model), autoencoders)

const ofScores = (change: (score: number) => number): Mutation =>
  ofDetection((detection) => ({ ...detection, score: detection.score.map(change) }))

const ofDetection = (change: (detection: Detection, channels: number) => Detection): Mutation =>
  ({ model, autoencoders }) => {
    const judge = judgeOf(model, autoencoders)
    return { ...judge, detect: (scoring, series) => change(judge.detect(scoring, series), judge.channels.length) }
  }

const ofScorings = (change: (model: DetectorModel, scoring: Scoring) => Partial<DetectorModel['causal']>): Mutation =>
  ofModel((model) => ({
    ...model,
    causal: { ...model.causal, ...change(model, 'causal') },
    batch: { ...model.batch, ...change(model, 'batch') },
  }))

/** Breaks what the autoencoders give for windows of the length of their members. */
const ofWindows = (change: (windows: Float32Array, width: number, give: Reconstruction) => Float32Array): Mutation =>
  ({ model, autoencoders }) =>
    judgeOf(
      model,
      autoencoders.map((autoencoder, m): Autoencoder => {
        // Measures of windows reconstruct nothing.
        if (autoencoder.reconstruct === undefined) return autoencoder
        const width = model.members[m]!.windowLength * model.channels.length
        return { reconstruct: (windows, count) => change(windows.slice(0, count * width), width, autoencoder) }
      })
    )

/** Changes what both scorings know of a channel. */
const ofChannels = (
  change: (channel: ChannelEvidence, c: number) => ChannelEvidence,
  pattern: (model: DetectorModel) => Partial<DetectorModel>
): Mutation =>
  ofModel((model) => {
    const changed = (fit: EvidenceFit | null): EvidenceFit | null =>
      fit && { ...fit, channels: fit.channels.map(change) }
    const { causal, batch } = model.evidence
    return { ...model, ...pattern(model), evidence: { causal: changed(causal), batch: changed(batch) } }
  })

const times = (values: readonly number[], factor: number): number[] => values.map((value) => factor * value)

const scaled = (factor: number): Mutation =>
  ofChannels(({ baseline, ...channel }, c) => ({
    ...channel,
    baseline: { ...baseline, scale: times(baseline.scale, c === 0 ? factor : 1) },
  }), ({ scaler }) => ({
    scaler: { ...scaler, scale: scaler.scale.map((scale, c) => c === 0 ? factor * scale : scale) },
  }))

/** The thresholds of all evidence. */
const thresholds = (changed: (threshold: number) => number): Mutation =>
  ofChannels((channel) => {
    const all = (one: Thresholds): Thresholds => ({
      point: changed(one.point),
      mean: one.mean.map((value) => value === null ? null : changed(value)),
      power: one.power.map((value) => value === null ? null : changed(value)),
    })
    const { season, own, relation } = channel
    return {
      ...channel,
      season: season && all(season),
      own: own && { ...own, thresholds: all(own.thresholds) },
      relation: relation && { ...relation, thresholds: all(relation.thresholds) },
    }
  }, ({ causal, batch }) => ({
    causal: { ...causal, threshold: changed(causal.threshold) },
    batch: { ...batch, threshold: changed(batch.threshold) },
  }))

const severalOnly = (mutation: Mutation): Mutation => (fitted) =>
  fitted.model.channels.length === 1 ? undefined : mutation(fitted)

const rotated = <T>(items: readonly T[]): T[] => [...items.slice(1), items[0]!]

function reversedTime (windows: Float32Array, width: number, channels: number): Float32Array {
  const reversed = new Float32Array(windows.length)
  for (let at = 0; at < windows.length; at += channels) {
    const start = at - at % width
    reversed.set(windows.subarray(at, at + channels), start + width - channels - (at - start))
  }
  return reversed
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'the score is inverted': ofScores((score) => 2 - score),
  'the score is its reciprocal': ofScores((score) => 1 / score),
  'the score is constant and low': ofScores((score) => Number.isNaN(score) ? NaN : 0.5),
  'the score is constant and high': ofScores((score) => Number.isNaN(score) ? NaN : 1.5),
  'nothing is scored': ofScores(() => NaN),
  'the score is late': ofDetection((detection) => {
    const score = new Float64Array(detection.score.length).fill(NaN)
    score.set(detection.score.subarray(0, -60), 60)
    return { ...detection, score }
  }),
  'thresholds are ignored': thresholds(() => 1),
  'thresholds are halved': thresholds((threshold) => threshold / 2),
  'thresholds are doubled': thresholds((threshold) => 2 * threshold),
  'the threshold of the autoencoders is ignored': ofScorings(() => ({ threshold: 1 })),
  'the smoothing is doubled': ofScorings(({ causal, batch }, scoring) => ({
    smoothing: scoring === 'causal' ? 2 * causal.smoothing : 2 * batch.smoothing + 1,
  })),
  'there is no smoothing': ofScorings(() => ({ smoothing: 1 })),
  'the order of channels is shuffled': severalOnly(ofModel((model) => ({
    ...model,
    channels: rotated(model.channels),
  }))),
  'the contributions are shuffled': severalOnly(ofDetection((detection, channels) => ({
    ...detection,
    contributions: detection.contributions.map((_, i, all) => all[i - i % channels + (i + 1) % channels]!),
  }))),
  'the scale of a channel is halved': scaled(0.5),
  'the scale of a channel is doubled': scaled(2),
  'the mean of every channel is off': ofChannels((channel) => ({
    ...channel,
    baseline: { ...channel.baseline, base: channel.baseline.base + channel.baseline.scale[0]! },
  }), ({ scaler }) => ({ scaler: { ...scaler, center: scaler.center.map((mean, c) => mean + scaler.scale[c]!) } })),
  'a channel has no weight': severalOnly(ofModel((model) => ({
    ...model,
    weights: model.weights.map((weight, c) => c === 0 ? 0 : weight),
  }))),
  'windows are reversed': (fitted) =>
    ofWindows((windows, width, { reconstruct }) =>
      reconstruct(reversedTime(windows, width, fitted.model.channels.length), windows.length / width)
    )(fitted),
  'windows are rebuilt as zeros': ofWindows((windows) => new Float32Array(windows.length)),
  'windows are rebuilt as they are': ofWindows((windows) => windows),
  'windows are rebuilt at half their size': ofWindows((windows, width, { reconstruct }) =>
    reconstruct(windows, windows.length / width).map((value) => value / 2)
  ),
}

/** What the check says; undefined if it has nothing against the detector. */
function refusalOf (judge: Judge, probes: Probes): string | undefined {
  try {
    checkProbes(judge, probes)
    return undefined
  } catch (error) {
    return `${(error as Problem).code}: ${(error as Problem).message}`
  }
}

const judgeOfAll = ({ model, autoencoders }: Fitted): Judge => judgeOf(model, autoencoders)

t.test('every broken detector is refused', async (t) => {
  const missed: string[] = []
  let broken = 0
  for (const [process, dataOf] of Object.entries(PROCESSES)) {
    for (const seed of [1, 2]) {
      const series = dataOf(seed)
      const fitted = await fit(series)
      const probes = makeProbes(judgeOfAll(fitted), [series])
      for (const [name, mutation] of Object.entries(MUTATIONS)) {
        const judge = mutation(fitted)
        if (judge === undefined) continue
        broken++
        if (!/^sensitivity-differs/.test(refusalOf(judge, probes) ?? '')) missed.push(`${process}, ${seed}: ${name}`)
      }
    }
  }
  t.same(missed, [], `all of ${broken} are refused`)
  t.ok(broken >= 100, 'and they are at least 100')
})

/** As another backend computes: it adds 32-bit numbers in another order. */
function roundedOtherwise ({ model, autoencoders }: Fitted, seed: number): Judge {
  const random = createRandom(`rounding/${seed}`)
  return judgeOf(
    model,
    autoencoders.map((autoencoder): Autoencoder => {
      const { reconstruct } = autoencoder
      if (reconstruct === undefined) return autoencoder
      return {
        reconstruct: (windows, count) =>
          reconstruct(windows, count).map((value) => value * (1 + 1e-5 * random.normal())),
      }
    })
  )
}

t.test('whole detectors pass: also read back from JSON, and on a backend that rounds otherwise', async (t) => {
  let passed = 0
  for (const [process, dataOf] of Object.entries(PROCESSES)) {
    for (const seed of [11, 12, 13, 14]) {
      const series = dataOf(seed)
      const fitted = await fit(series)
      const made = makeProbes(judgeOfAll(fitted), [series])
      const probes = JSON.parse(JSON.stringify(made)) as Probes
      const model = JSON.parse(JSON.stringify(fitted.model)) as DetectorModel
      for (const judge of [judgeOfAll({ ...fitted, model }), roundedOtherwise(fitted, seed)]) {
        t.equal(refusalOf(judge, probes), undefined, `${process}, ${seed}`)
      }
      t.ok(made.probes.length >= 2 * series.channels.length, 'every channel is asked about')
      passed++
    }
  }
  t.equal(passed, 20)
})
