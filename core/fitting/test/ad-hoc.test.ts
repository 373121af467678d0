import t from 'tap'
import { AD_HOC_LEAST, fitAdHoc } from '../ad-hoc.ts'
import { isSolved } from '../members.ts'
import { normalScores } from '../normal-scores.ts'
import { rowsOf } from '../../evidence/rows.ts'
import { detectCausal } from '../../detector/detector.ts'
import { detectBatch } from '../../detector/hindsight.ts'
import { createRandom } from '../../random.ts'
import { type Detection } from '../../scoring/detection.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { fitTail, thresholdForBudget, thresholdForSensitivity } from '../../scoring/tail.ts'
import { findAnomalies } from '../../verdicts/anomalies.ts'

/** A wave and its double with noise; from `at` on, ten observations of the double are off by `by`. */
function waves (length: number, at = -1, by = 0): Series {
  const random = createRandom('waves')
  const a = Array.from({ length }, (_, t) => Math.sin(t / 9) + 0.05 * random.normal())
  const b = a.map((value, t) => 2 * value + 0.05 * random.normal() + (t >= at && t < at + 10 && at >= 0 ? by : 0))
  return fromColumns({ start: 0, interval: 60_000, columns: { a, b } })
}

t.test('an anomaly in the series does not teach the robust fit what is normal', async (t) => {
  const series = waves(800, 500, 2)
  const { model, autoencoders } = await fitAdHoc(series)
  const clean = (await fitAdHoc(waves(800))).model
  t.ok(model.scaler.scale[1]! < 1.05 * clean.scaler.scale[1]!, 'the spread is that of the rest')
  const flagged = [...detectBatch(model, autoencoders, series).score].flatMap((score, i) => score > 1 ? [i] : [])
  t.ok(flagged.includes(505))
  t.ok(flagged.every((i) => i > 440 && i < 570), `nothing else is flagged: ${flagged[0]} to ${flagged.at(-1)}`)
})

t.test('where most observations hold suspects, patterns are learnt from all', async (t) => {
  const random = createRandom('suspects')
  const length = 320
  // Each channel has its spikes in two eighths of its own: together they leave no run of clean observations.
  const columns = Object.fromEntries([0, 2, 4, 6].map((eighth) => [`from_${eighth}`, Array.from({ length }, (_, i) =>
    random.normal() + (i % 8 === 0 && i >= 40 * eighth && i < 40 * (eighth + 2) ? 40 : 0))]))
  const { model, suspectShare } = await fitAdHoc(fromColumns({ start: 0, interval: 1000, columns }))
  t.ok(suspectShare > 0.5, `${suspectShare}`)
  t.ok(model.members.length > 0)
})

t.test('a named part teaches, and nothing else does', async (t) => {
  const one = await fitAdHoc(waves(400, 300, 2), { rows: 250 })
  const other = await fitAdHoc(waves(400), { rows: 250 })
  t.same(one.model, other.model)
  t.same(one.autoencoders.map(({ weights }) => weights), other.autoencoders.map(({ weights }) => weights))
  t.same(
    (await fitAdHoc(waves(100), { rows: 1000 })).model,
    (await fitAdHoc(waves(100), { rows: 100 })).model,
    'at most all'
  )
})

t.test('regular series, one channel and channels that never vary are fitted', async (t) => {
  const still = fromColumns({
    start: 0,
    interval: 1000,
    columns: { x: Array.from({ length: AD_HOC_LEAST }, (_, t) => t % 4), still: Array(AD_HOC_LEAST).fill(5) },
  })
  const { model, autoencoders } = await fitAdHoc(still)
  t.same(model.members, [], 'too short for autoencoders: evidence of channels alone')
  t.ok([...detectBatch(model, autoencoders, still).score].every((score) => score <= 1))
  t.equal(
    (await fitAdHoc(fromColumns({ start: 0, interval: 1, columns: { only: Array(60).fill(1) } }))).model.batch
      .threshold > 0,
    true
  )
})

t.test('a channel that is rarely there is judged where it is; autoencoders need more of it', async (t) => {
  const sparse = (length: number): Series => {
    const rare = Array.from({ length }, (_, t) => t >= 100 && t < 116 ? 50 * (t % 2) : null)
    const common = Array.from({ length }, (_, t) => Math.sin(t))
    return fromColumns({ start: 0, interval: 1, columns: { rare, common } })
  }
  const { model, autoencoders } = await fitAdHoc(sparse(200))
  const { score } = detectBatch(model, autoencoders, sparse(200))
  t.same([...score.keys()].filter((i) => !Number.isNaN(score[i]!)), Array.from({ length: 19 }, (_, i) => 100 + i))
  await t.rejects(fitAdHoc(sparse(300)), { code: 'no-training-data' })
})

t.test('too little is refused with what is needed', async (t) => {
  await t.rejects(fitAdHoc(waves(AD_HOC_LEAST - 1)), {
    code: 'series-too-short',
    extensions: { needed: AD_HOC_LEAST, got: AD_HOC_LEAST - 1 },
  })
  await t.rejects(fitAdHoc(waves(100), { rows: 3 }), { code: 'series-too-short', message: /options\.fit/ })
  const late = fromColumns({
    start: 0,
    interval: 1,
    columns: { late: Array.from({ length: 100 }, (_, t) => t < 60 ? null : t) },
  })
  await t.rejects(fitAdHoc(late, { rows: 50 }), { code: 'missing-channel', items: [{ pointer: '/channels/late' }] })
})

t.test('a wild reading, gaps all over, and short series are no hindrance', async (t) => {
  for (const wild of [1e6, 1e300]) {
    const values = waves(300).values.slice()
    values[150 * 2] = wild
    const { model, autoencoders } = await fitAdHoc({ ...waves(300), values })
    t.ok(detectBatch(model, autoencoders, { ...waves(300), values }).score[150]! > 1, `${wild} stands out`)
  }
  const hours = Array.from({ length: 2016 }, (_, i) => i % 144 < 100 ? Math.sin(i / 9) : null)
  const { model, autoencoders } = await fitAdHoc(fromColumns({ start: 0, interval: 600_000, columns: { hours } }))
  t.ok(model.windowLength <= 51, 'windows fit between the gaps, of whose 44 observations 3 are held')
  t.ok(
    detectBatch(model, autoencoders, fromColumns({ start: 0, interval: 600_000, columns: { hours } })).score
      .some((score) => !Number.isNaN(score))
  )
  const apart = (length: number): Series => fromColumns({
    start: 0,
    interval: 1,
    columns: {
      first: Array.from({ length }, (_, i) => i < 40 ? i % 7 : null),
      second: Array.from({ length }, (_, i) => i > 60 ? i % 5 : null),
    },
  })
  const never = await fitAdHoc(apart(100))
  t.ok(detectBatch(never.model, never.autoencoders, apart(100)).score.every(Number.isNaN), 'no row has all channels')
  await t.rejects(fitAdHoc(apart(300)), { code: 'no-training-data' }, 'nothing to learn windows from')
  const short = waves(200, 120, 2)
  const fitted = await fitAdHoc(short)
  t.ok(detectBatch(fitted.model, fitted.autoencoders, short).score[125]! > 1, 'an anomaly in 200 rows is found')
})

/** Anomalies with hindsight, and those of the second half after a fit on the first, as "from–to". */
async function found (values: number[], interval = 60_000): Promise<{ batch: string[], causal: string[] }> {
  const series = fromColumns({ start: 0, interval, columns: { values } })
  const text = (detection: Detection): string[] =>
    findAnomalies(detection).map(({ from, to }) => from === to ? `${from}` : `${from}–${to}`)
  const robust = await fitAdHoc(series, { scoring: 'batch' })
  const named = await fitAdHoc(series, { rows: values.length >> 1, scoring: 'causal' })
  return {
    batch: text(detectBatch(robust.model, robust.autoencoders, series)),
    causal: text(detectCausal(named.model, named.autoencoders, series)),
  }
}

t.test('what a person tries first is told on its own rows', async (t) => {
  const random = createRandom('first tries')
  const rows = (length: number, f: (row: number) => number): number[] => Array.from({ length }, (_, row) => f(row))
  const once = { batch: ['700'], causal: ['700'] }
  t.same(await found(rows(1000, (row) => row === 700 ? 5 : 1)), once, 'one other value in a constant channel')
  t.same(
    await found(rows(1000, (row) => 1e12 + random.normal() + (row === 700 ? 30 : 0))),
    once,
    'a spike on a large offset'
  )
  t.same(await found(rows(1000, (row) => row / 10 + random.normal() + (row === 700 ? 15 : 0))), once, 'one on a ramp')
  t.same(await found(rows(1000, (row) => row)), { batch: [], causal: [] }, 'an exact ramp has none')
  const job = (row: number): number => row % 144 >= 36 && row % 144 < 40 && row < 2160 ? 10 : 0
  const missed = { batch: ['2196–2199'], causal: ['2196–2199'] }
  t.same(await found(rows(2304, job), 600_000), missed, 'a job that runs like clockwork, and once does not')
})

t.test('one scoring alone is fitted as beside the other', async (t) => {
  const both = (await fitAdHoc(waves(400))).model
  for (const [scoring, other] of [['causal', 'batch'], ['batch', 'causal']] as const) {
    const { model } = await fitAdHoc(waves(400), { scoring })
    t.same(model.evidence[scoring], both.evidence[scoring])
    t.same(model[scoring].threshold, both[scoring].threshold)
    t.equal(model.evidence[other], null)
  }
})

t.test('what can be solved is named', async (t) => {
  t.same(['linear', 'deviation', 'dense', 'toString'].map(isSolved), [true, true, false, false])
})

t.test('budgets of false alarms and sensitivity hold where evidence of channels alone decides', async (t) => {
  const random = createRandom('budget')
  const a = Array.from({ length: 2200 }, random.normal)
  const series = fromColumns({ start: 0, interval: 60_000, columns: { a } })
  for (const [scoring, detect] of [['batch', detectBatch], ['causal', detectCausal]] as const) {
    const { model, autoencoders } = await fitAdHoc(series, { rows: 200, scoring })
    t.same(model.members, [])
    const { score } = detect(model, autoencoders, series)
    const rowsAbove = (threshold: number): number => score.subarray(200).filter((one) => one > threshold).length
    const runsAbove = (threshold: number): number =>
      score.subarray(200).filter((one, i) => one > threshold && !(score[199 + i]! > threshold)).length
    const { scores: tail } = model[scoring]
    const got = runsAbove(thresholdForBudget(tail, 1440 / 20, 60_000))
    t.ok(got > 40 && got < 250, `${scoring}: 100 alarms asked for, ${got} given`)
    t.equal(thresholdForBudget(tail, 1440 / 500, 60_000), 1, 'rarer than 200 rows can tell: the default')
    const rows = [0, 0.25, 0.5, 0.9, 1].map((sensitivity) => rowsAbove(thresholdForSensitivity(tail, sensitivity)))
    t.same(rows, [...rows].sort((a, b) => a - b), `${scoring}: more rows with more sensitivity, ${rows.join(' ')}`)
    t.ok(rows[4]! > 500 && rows[3]! > rows[2]!, 'and it has an effect')
  }
})

t.test('a lone channel that wanders has no members, and no tail of their scores', async (t) => {
  const random = createRandom('wanders')
  let at = 0
  const a = Array.from({ length: 1500 }, () => {
    at += random.normal()
    return at
  })
  const series = fromColumns({ start: 0, interval: 60_000, columns: { a } })
  const { model, autoencoders } = await fitAdHoc(series, { rows: 1500 })
  t.same([model.members, autoencoders, model.windowLength], [[], [], 1])
  for (const scoring of ['batch', 'causal'] as const) {
    const options = { scoring, calibration: new Float64Array(0), folds: 4 }
    t.same(model[scoring].scores, fitTail(normalScores(model, rowsOf([series]), options)))
    t.equal(model[scoring].threshold, 1, 'nor a threshold of theirs')
  }
})
