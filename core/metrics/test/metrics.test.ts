// The metrics against worked examples, plain (slow) versions of themselves, and the laws that hold for all inputs.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import {
  addConfusions,
  autocorrelationPeriod,
  averagePrecision,
  bestF1,
  confusion,
  detectionDelays,
  nabScore,
  nabScoreAt,
  type NabSeries,
  pointScores,
  rangeF1,
  volumesUnderSurface,
  vusPr,
  vusRoc,
} from '../index.ts'
import { createRandom } from '../../random.ts'

const LABELS = [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]
const SCORES = [0.1, 0.2, 0.5, 0.9, 0.4, 0.8, 0.7, 0.1, 0.2, 0.3, 0.1, 0.6, 0.2, 0.95, 0.3, 0.1]
const FLAGS = SCORES.map((score) => score > 0.45)

/** @param wanted a number, or a number and how far the found one may be from it; else 1e-9 */
function near (t: Test, found: number, wanted: number | readonly [number, number], what: string): void {
  const [exact, tolerance] = typeof wanted === 'number' ? [wanted, 1e-9] : wanted
  t.ok(Math.abs(found - exact) <= tolerance, `${what}: ${found} for ${exact}`)
}

/** Labels with a score for each; few distinct scores, so that ties abound; sometimes unscored. */
const ranking = fc.array(fc.record({
  label: fc.boolean(),
  score: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constant(NaN)),
}), { maxLength: 60, size: 'max' })
  .map((rows) => ({ labels: rows.map((row) => row.label), scores: rows.map((row) => row.score) }))

const flagged = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 40, size: 'max' })
  .map((rows) => ({ labels: rows.map(([label]) => label), flags: rows.map(([, flag]) => flag) }))

const buffers = fc.integer({ min: 0, max: 12 })
const within = (x: number, most = 1): boolean => x >= 0 && x <= most + 1e-12
const same = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-12

/** Average precision as defined: for each distinct score, count what is flagged; no sorting of observations. */
function plainCuts (labels: readonly boolean[], scores: readonly number[]): { precision: number, recall: number }[] {
  const ranks = scores.map((score) => Number.isNaN(score) ? -Infinity : score)
  const positives = labels.filter(Boolean).length
  return [...new Set(ranks)].sort((a, b) => b > a ? 1 : -1).map((threshold) => {
    const flags = ranks.map((score) => score >= threshold)
    const found = flags.filter((flag, i) => flag && labels[i]).length
    return { precision: found / flags.filter(Boolean).length, recall: positives === 0 ? 0 : found / positives }
  })
}

interface Span { first: number, last: number }

function plainRuns (labels: ArrayLike<boolean>): Span[] {
  const runs: Span[] = []
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue
    if (labels[i - 1]) runs.at(-1)!.last = i
    else runs.push({ first: i, last: i })
  }
  return runs
}

/** VUS as defined: every buffer, every threshold and every observation anew. */
function plainVolumes (
  labels: readonly boolean[],
  scores: readonly number[],
  maxBuffer: number
): { pr: number, roc: number } {
  const length = labels.length
  const runs = plainRuns(labels)
  if (runs.length === 0) return { pr: 0, roc: 0 }
  const ranks = scores.map((score) => Number.isNaN(score) ? -Infinity : score)
  const sorted = [...ranks].sort((a, b) => a === b ? 0 : b > a ? 1 : -1)
  const thresholds = Array.from(
    { length: 250 },
    (_, k) => sorted[k === 249 ? length - 1 : Math.floor(k * ((length - 1) / 249))]!
  )
  const volumes = { pr: 0, roc: 0 }
  for (let w = 0; w <= maxBuffer; w++) {
    const half = Math.floor(w / 2)
    const extended = labels.map((label, i) => label
      ? 1
      : Math.min(1, runs.reduce((sum, { first, last }) => {
        const distance = Math.max(first - i, i - last)
        return distance <= half ? sum + Math.sqrt(1 - distance / w) : sum
      }, 0)))
    // Extended runs: a buffer of length 2 reaches its neighbours with a weight above 0, so the runs of weights are not
    // enough.
    const groups: Span[] = []
    for (const { first, last } of runs) {
      const before = groups.at(-1)
      if (before && before.last + half >= first - half) before.last = last
      else groups.push({ first, last })
    }
    const points = thresholds.map((threshold) => {
      const flags = ranks.map((score) => score >= threshold)
      const all = flags.filter(Boolean).length
      const credit = flags.reduce((sum, flag, i) => flag ? sum + extended[i]! : sum, 0)
      const mass = flags.reduce((sum, flag, i) => flag && !labels[i] ? sum + extended[i]! : sum, 0)
      const positives = (2 * labels.filter(Boolean).length + mass) / 2
      const touched = groups.filter(({ first, last }) =>
        flags.some((flag, i) => flag && i >= first - half && i <= last + half)
      ).length
      return {
        tpr: Math.min(credit / positives, 1) * touched / groups.length,
        fpr: length > positives ? (all - credit) / (length - positives) : 0,
        precision: credit / all,
      }
    })
    const path = [{ tpr: 0, fpr: 0, precision: 1 }, ...points]
    points.forEach(({ tpr, fpr, precision }, k) => {
      volumes.pr += (tpr - path[k]!.tpr) * precision
      volumes.roc += (fpr - path[k]!.fpr) * (tpr + path[k]!.tpr) / 2
    })
    volumes.roc += (1 - path.at(-1)!.fpr) * (1 + path.at(-1)!.tpr) / 2
  }
  return { pr: volumes.pr / (maxBuffer + 1), roc: volumes.roc / (maxBuffer + 1) }
}

t.test('confusion counts by label and verdict, and counts the unscored as not flagged', (t) => {
  t.same(confusion(LABELS, FLAGS), { tp: 3, fp: 3, tn: 8, fn: 2 })
  t.same(confusion([1, 1, 0, 0], [NaN, 1, NaN, 1]), { tp: 1, fp: 1, tn: 1, fn: 1 })
  t.same(confusion([], []), { tp: 0, fp: 0, tn: 0, fn: 0 })
  t.same(confusion(Uint8Array.of(1, 0), [true, true]), { tp: 1, fp: 1, tn: 0, fn: 0 })
  t.throws(() => confusion([1, 0], [1]), { code: 'channel-length-mismatch' })
  t.end()
})

t.test('point scores are F1 and the rates in percent', (t) => {
  const scores = pointScores(confusion(LABELS, FLAGS))
  near(t, scores.f1, 0.5454545454545454, 'F1')
  near(t, scores.far, 27.272727272727273, 'FAR')
  near(t, scores.mar, 40, 'MAR')
  near(t, scores.precision, 0.5, 'precision')
  near(t, scores.recall, 0.6, 'recall')
  t.same(pointScores({ tp: 0, fp: 0, tn: 0, fn: 0 }), { f1: 0, far: 0, mar: 0, precision: 0, recall: 0 }, 'nothing')
  t.same(
    pointScores({ tp: 0, fp: 1, tn: 3, fn: 0 }),
    { f1: 0, far: 25, mar: 0, precision: 0, recall: 0 },
    'no anomalous observation'
  )
  t.same(
    pointScores({ tp: 2, fp: 0, tn: 0, fn: 0 }),
    { f1: 1, far: 0, mar: 0, precision: 1, recall: 1 },
    'no normal observation'
  )
  t.end()
})

t.test('pooling confusions equals counting the concatenation', (t) => {
  t.same(addConfusions([]), { tp: 0, fp: 0, tn: 0, fn: 0 })
  fc.assert(fc.property(flagged, flagged, (a, b) => {
    const pooled = addConfusions([confusion(a.labels, a.flags), confusion(b.labels, b.flags)])
    t.same(pooled, confusion([...a.labels, ...b.labels], [...a.flags, ...b.flags]))
  }), { numRuns: 30 })
  t.end()
})

t.test('point scores lie in their ranges, and recall and missed alarms make a whole', (t) => {
  fc.assert(fc.property(flagged, ({ labels, flags }) => {
    const { f1, far, mar, precision, recall } = pointScores(confusion(labels, flags))
    const harmonic = precision + recall === 0 ? 0 : 2 * precision * recall / (precision + recall)
    const whole = !labels.includes(true) || same(recall + mar / 100, 1)
    return within(f1) && within(far, 100) && within(mar, 100) && within(precision) && within(recall) &&
      same(f1, harmonic) && whole
  }))
  t.end()
})

t.test('average precision and best F1 on worked examples and at the edges', (t) => {
  near(t, averagePrecision(LABELS, SCORES), 0.7976190476190477, 'average precision')
  near(t, bestF1(LABELS, SCORES), 0.7499953125292966, 'best F1 with epsilon')
  near(t, bestF1(LABELS, SCORES, 0), 0.75, 'best F1 without epsilon')
  near(t, averagePrecision([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.4]), 5 / 6, 'average precision of the example')
  near(t, bestF1([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.4], 0), 0.8, 'best F1 of the example')
  for (const metric of [averagePrecision, bestF1]) {
    t.equal(metric([], []), 0, 'nothing at all')
    t.equal(metric([0, 0], [1, 2]), 0, 'no anomalous observation')
    t.throws(() => metric([1], [1, 2]), { code: 'channel-length-mismatch' })
  }
  t.equal(averagePrecision([1, 1], [1, 2]), 1, 'no normal observation')
  t.equal(averagePrecision([1, 0, 0, 0], [5, 5, 5, 5]), 0.25, 'all scores equal')
  near(t, bestF1([1, 0, 0, 0], [5, 5, 5, 5], 0), 0.4, 'all scores equal')
  t.equal(averagePrecision([1, 0], [NaN, 0]), 0.5, 'an unscored observation ranks last')
  t.equal(averagePrecision([1, 0], [NaN, NaN]), 0.5, 'and ties with the other unscored ones')
  t.end()
})

t.test('average precision and best F1 equal their plain versions', (t) => {
  fc.assert(fc.property(ranking, ({ labels, scores }) => {
    const cuts = plainCuts(labels, scores)
    const area = cuts.reduce(
      (sum, { precision, recall }, k) => sum + (recall - (cuts[k - 1]?.recall ?? 0)) * precision,
      0
    )
    const best = cuts.reduce(
      (most, { precision, recall }) => Math.max(most, 2 * precision * recall / (precision + recall + 1e-5)),
      0
    )
    return same(averagePrecision(labels, scores), area) && same(bestF1(labels, scores), best)
  }))
  t.end()
})

t.test('ranking metrics lie in [0, 1] and depend on the order of the scores alone', (t) => {
  fc.assert(fc.property(ranking, buffers, ({ labels, scores }, buffer) => {
    const ranks = [...new Set(scores.filter((score) => !Number.isNaN(score)))].sort((a, b) => a - b)
    const transformed = scores.map((score) => Number.isNaN(score) ? NaN : ranks.indexOf(score) ** 3 - 7)
    for (const metric of [
      averagePrecision,
      bestF1,
      (y: boolean[], s: number[]) => vusPr(y, s, buffer),
      (y: boolean[], s: number[]) => vusRoc(y, s, buffer),
    ]) {
      const value = metric(labels, scores)
      if (!within(value) || value !== metric(labels, transformed)) return false
    }
    return true
  }))
  t.end()
})

t.test('scores that rank every anomalous observation first are perfect', (t) => {
  const anyLabels = fc.array(fc.boolean(), { minLength: 1, maxLength: 60, size: 'max' })
  fc.assert(fc.property(anyLabels, buffers, (labels, buffer) => {
    fc.pre(labels.includes(true))
    const scores = labels.map(Number)
    return averagePrecision(labels, scores) === 1 && bestF1(labels, scores, 0) === 1 &&
      same(bestF1(labels, scores), 2 / 2.00001) &&
      same(vusPr(labels, scores, buffer), 1) && same(rangeF1(labels, scores).f1, 1) &&
      pointScores(confusion(labels, scores)).f1 === 1
  }))
  t.end()
})

t.test('normal observations that rank below every anomalous one change neither average precision nor best F1', (t) => {
  fc.assert(fc.property(ranking, fc.nat(20), ({ labels, scores }, extra) => {
    const known = scores.map((score) => Number.isNaN(score) ? -5000 : score)
    const more = Array.from({ length: extra }, (_, i) => -6000 - i % 3)
    const moreLabels = [...labels, ...more.map(() => false)]
    return averagePrecision(labels, known) === averagePrecision(moreLabels, [...known, ...more]) &&
      bestF1(labels, known) === bestF1(moreLabels, [...known, ...more])
  }))
  t.end()
})

t.test('range F1 on worked examples and at the edges', (t) => {
  near(t, rangeF1(LABELS, FLAGS).f1, 0.5161290322580646, 'range F1')
  const example = rangeF1([0, 1, 1, 1, 1, 0], [1, 1, 0, 0, 1, 0])
  near(t, example.recall, 0.4, 'recall: two pieces of one run')
  near(t, example.precision, 0.75, 'precision')
  near(t, example.f1, 0.6 / 1.15, 'F1')
  near(t, rangeF1([1, 0, 1, 0], [1, 1, 1, 1]).precision, 0.25, 'one flagged run over two labelled ones counts half')
  t.same(rangeF1([], []), { precision: 0, recall: 0, f1: 0 }, 'nothing at all')
  t.same(rangeF1([0, 0], [0, 1]), { precision: 0, recall: 0, f1: 0 }, 'no labelled run')
  t.same(rangeF1([0, 1], [0, NaN]), { precision: 0, recall: 0, f1: 0 }, 'no flagged run')
  t.same(rangeF1([1, 1], [1, 1]), { precision: 1, recall: 1, f1: 1 }, 'no normal observation')
  t.throws(() => rangeF1([1], [1, 0]), { code: 'channel-length-mismatch' })
  t.end()
})

t.test('range scores equal the sum over all pairs of runs, lie in [0, 1], and stay when time is reversed', (t) => {
  const reward = (runs: readonly Span[], others: readonly Span[], alpha: number): number => {
    const values = runs.map((run) => {
      const overlaps = others.map((other) => Math.min(run.last, other.last) - Math.max(run.first, other.first) + 1)
        .filter((size) => size > 0)
      const share = overlaps.reduce((sum, size) => sum + size / (run.last - run.first + 1), 0)
      return overlaps.length === 0 ? 0 : alpha + (1 - alpha) * share / overlaps.length
    })
    return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
  }
  fc.assert(fc.property(flagged, ({ labels, flags }) => {
    const { precision, recall, f1 } = rangeF1(labels, flags)
    const reversed = rangeF1(labels.toReversed(), flags.toReversed())
    return same(recall, reward(plainRuns(labels), plainRuns(flags), 0.2)) &&
      same(precision, reward(plainRuns(flags), plainRuns(labels), 0)) &&
      within(precision) && within(recall) && within(f1) && same(reversed.f1, f1)
  }))
  t.end()
})

t.test('VUS on worked examples and at the edges', (t) => {
  const { pr, roc } = volumesUnderSurface(LABELS, SCORES, 4)
  near(t, pr, 0.8999545857856379, 'VUS-PR')
  near(t, roc, 0.9250351365457068, 'VUS-ROC')
  t.equal(vusPr(LABELS, SCORES, 4), pr)
  t.equal(vusRoc(LABELS, SCORES, 4), roc)
  t.same(volumesUnderSurface([], [], 4), { pr: 0, roc: 0 }, 'nothing at all')
  t.same(volumesUnderSurface([0, 0, 0], [1, 2, 3], 4), { pr: 0, roc: 0 }, 'no labelled observation')
  t.same(volumesUnderSurface([1, 1], [2, 1], 3), { pr: 1, roc: 1 }, 'all labelled')
  near(
    t,
    vusPr([0, 1, 0, 0, 0], [3, 3, 3, 3, 3], 2),
    (2 * 1 + 1 + 2 * Math.SQRT1_2) / 15,
    'all scores equal: the mean share of extended labels'
  )
  near(t, vusPr([1, 0], [NaN, 0], 0), 0.5, 'an unscored observation ranks last')
  t.throws(() => vusPr([1], [1, 2], 0), { code: 'channel-length-mismatch' })
  t.throws(() => vusPr([1], [1], -1), { code: 'invalid-settings' })
  t.throws(() => vusPr([1], [1], 1.5), { code: 'invalid-settings' })
  t.end()
})

t.test('VUS equals its plain version', (t) => {
  fc.assert(fc.property(ranking, buffers, ({ labels, scores }, buffer) => {
    const found = volumesUnderSurface(labels, scores, buffer)
    const wanted = plainVolumes(labels, scores, buffer)
    return same(found.pr, wanted.pr) && same(found.roc, wanted.roc)
  }), { numRuns: 60 })
  for (const length of [250, 251, 997]) {
    const random = createRandom(length)
    const labels = Array.from({ length }, (_, i) => Math.floor(i / 23) % 7 === 3 || (i > 90 && i % 31 === 0))
    const scores = labels.map((label) => Math.round(20 * random.normal() + (label ? 15 : 0)) / 10)
    const found = volumesUnderSurface(labels, scores, 40)
    const wanted = plainVolumes(labels, scores, 40)
    near(t, found.pr, [wanted.pr, 1e-12], `VUS-PR of ${length} observations, more than there are thresholds`)
    near(t, found.roc, [wanted.roc, 1e-12], `VUS-ROC of ${length} observations`)
  }
  t.end()
})

t.test('VUS-PR without buffer is the average precision where there is one run and a threshold for every rank', (t) => {
  const oneRun = fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.nat(20)).chain(([before, run, after]) =>
    fc.record({
      labels: fc.constant(Array.from({ length: before + run + after }, (_, i) => i >= before && i < before + run)),
      scores: fc.array(fc.integer({ min: 0, max: 9 }), {
        minLength: before + run + after,
        maxLength: before + run + after,
      }),
    })
  )
  fc.assert(
    fc.property(oneRun, ({ labels, scores }) => same(vusPr(labels, scores, 0), averagePrecision(labels, scores)))
  )
  t.end()
})

t.test('the period is that of the autocorrelation, and 125 where there is none', (t) => {
  const wave = (length: number, period: number): number[] =>
    Array.from({ length }, (_, i) => Math.sin(2 * Math.PI * i / period))
  const spikes = (length: number, period: number): number[] =>
    Array.from({ length }, (_, i) => i % period === 0 ? 1 : 0)
  t.equal(autocorrelationPeriod(wave(200, 12)), 12)
  t.equal(autocorrelationPeriod(wave(2000, 6)), 6, 'the shortest')
  t.equal(autocorrelationPeriod(spikes(2000, 303)), 303, 'the longest')
  t.equal(autocorrelationPeriod(spikes(2000, 304)), 125, 'more than 300 lags from 3')
  t.equal(autocorrelationPeriod(wave(2000, 5)), 125, 'fewer than 3 lags from 3')
  t.equal(autocorrelationPeriod(new Float64Array(500).fill(7)), 125, 'constant')
  t.equal(autocorrelationPeriod(new Float64Array(500).fill(0.1)), 125, 'constant, and its mean not exact')
  t.equal(autocorrelationPeriod(Array.from({ length: 500 }, (_, i) => i)), 125, 'a ramp')
  t.equal(autocorrelationPeriod([]), 125, 'nothing at all')
  t.equal(autocorrelationPeriod([1, 2, 1]), 125, 'too short')
  t.equal(autocorrelationPeriod(new Float64Array(500).fill(NaN)), 125, 'all missing')
  t.equal(
    autocorrelationPeriod([...wave(20_000, 24), ...wave(40_000, 50).map((x) => 9 * x)]),
    24,
    'only the first 20,000 observations count'
  )
  t.equal(autocorrelationPeriod(wave(600, 24).map((x, i) => i % 11 === 0 ? NaN : x)), 24, 'gaps')
  t.end()
})

t.test('the period is a lag from 6 to 303 and does not change with scale and offset', (t) => {
  const values = fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 120, size: 'max' })
  fc.assert(fc.property(values, fc.constantFrom(-4, 0.5, 2, 8), (series, scale) => {
    const period = autocorrelationPeriod(series)
    return Number.isInteger(period) && period >= 6 && period <= 303 &&
      period === autocorrelationPeriod(series.map((x) => scale * x))
  }))
  t.end()
})

t.test('the NAB score on a worked example', (t) => {
  const scores = new Float64Array(20)
  scores[5] = 0.9
  scores[9] = 0.8
  scores[13] = 0.7
  const corpus: NabSeries[] = [{ scores, windows: [[8, 11]] }]
  near(t, nabScoreAt(corpus, 0.95).raw, -1, 'nothing flagged')
  near(t, nabScoreAt(corpus, 0.85).raw, -1.11, 'a flag before the window')
  near(t, nabScoreAt(corpus, 0.75).raw, [0.856989, 5e-7], 'and one inside it')
  near(t, nabScoreAt(corpus, 0.65).raw, [0.754567, 5e-7], 'and one behind it')
  near(t, nabScoreAt(corpus, 0.75).score, [92.84945, 5e-6], 'normalised')
  const best = nabScore(corpus)
  t.equal(best.threshold, 0.7)
  t.same(best, nabScoreAt(corpus, 0.7))
  near(t, nabScoreAt(corpus, 0.95, 'reward-low-fp').raw, -1, 'a miss costs as much as before')
  near(t, nabScoreAt(corpus, 0.75, 'reward-low-fp').raw, [0.746989, 5e-7], 'a flag outside costs twice as much')
  near(t, nabScoreAt(corpus, 0.95, 'reward-low-fn').raw, -2, 'a miss costs twice as much')
  near(t, nabScoreAt(corpus, 0.75, 'reward-low-fn').raw, [0.856989, 5e-7], 'and a flag outside as much as before')
  near(t, nabScoreAt(corpus, 0.75, 'reward-low-fn').score, [95.23297, 5e-6], 'normalised')
  t.same(nabScore(corpus, 'reward-low-fn'), nabScoreAt(corpus, 0.7, 'reward-low-fn'))
  t.end()
})

t.test('the NAB score at the edges', (t) => {
  const zeros = new Array<number>(20).fill(0)
  t.equal(nabScore([]).score, 0, 'nothing at all')
  t.equal(nabScore([{ scores: [], windows: [] }]).score, 0, 'an empty series')
  t.equal(nabScore([{ scores: zeros, windows: [] }]).score, 0, 'no window')
  t.equal(nabScore([{ scores: zeros.map(() => NaN), windows: [[8, 9]] }]).score, 0, 'nothing scored')
  t.equal(nabScore([{ scores: zeros.with(1, 9), windows: [[0, 2]] }]).score, 0, 'a window wholly in the excluded start')
  t.equal(
    nabScore([{ scores: zeros.with(3, 9), windows: [[3, 6]] }]).score,
    100,
    'the first observation that counts is number 3 of 20'
  )
  t.equal(nabScoreAt([{ scores: zeros.with(2, 9), windows: [[2, 6]] }], 1).raw, -1, 'number 2 does not count')
  t.equal(
    nabScoreAt([{ scores: new Float64Array(9000).fill(0).with(750, 9), windows: [[750, 760]] }], 1).raw,
    1,
    'at most 750 are excluded'
  )
  near(
    t,
    nabScoreAt([{ scores: zeros.with(10, 9), windows: [[8, 8]] }], 1).raw,
    -1.11,
    'behind a window of one observation'
  )
  near(t, nabScoreAt([{ scores: zeros.with(14, 9), windows: [[8, 9]] }], 1).raw, -1.11, 'far behind a window')
  for (const windows of [
    [[5, 4]],
    [[8, 20]],
    [[4, 6], [6, 8]],
    [[8, 9], [4, 5]],
    [[-1, 4]],
    [[1.5, 4]],
  ] as Array<Array<[number, number]>>) {
    t.throws(() => nabScore([{ scores: zeros, windows }]), { code: 'invalid-settings' }, JSON.stringify(windows))
  }
  t.end()
})

const corpora = fc.array(
  fc.record({
    scores: fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(NaN)), {
      minLength: 20,
      maxLength: 30,
      size: 'max',
    }),
    windows: fc.constantFrom<Array<[number, number]>>([], [[5, 8]], [[1, 2], [6, 6], [12, 19]], [[3, 9], [10, 11]], [[
      4,
      4,
    ]]),
  }),
  { minLength: 1, maxLength: 4 }
)

const profiles = fc.constantFrom('standard' as const, 'reward-low-fp' as const, 'reward-low-fn' as const)

t.test('the best NAB score is the best over all thresholds, in [0, 100], and depends on the ranks alone', (t) => {
  fc.assert(fc.property(corpora, profiles, (corpus, profile) => {
    const best = nabScore(corpus, profile)
    const tried = [-Infinity, 0, 1, 2, 3, 4, 5].map((threshold) => nabScoreAt(corpus, threshold, profile).score)
    const transformed = corpus.map(({ scores, windows }) => ({
      scores: scores.map((score) => Math.exp(score) - 2),
      windows,
    }))
    return same(best.score, Math.max(...tried)) && best.score === nabScoreAt(corpus, best.threshold, profile).score &&
      within(best.score, 100) && nabScore(transformed, profile).score === best.score
  }))
  t.end()
})

t.test('flags at the starts of all windows alone give a NAB score of 100, later flags inside less', (t) => {
  fc.assert(fc.property(corpora, fc.integer({ min: 12, max: 18 }), (corpus, late) => {
    const counted = corpus.map(({ scores, windows }) => ({ scores, windows: windows.filter(([first]) => first >= 4) }))
    fc.pre(counted.some(({ windows }) => windows.length > 0))
    const perfect = counted.map(({ scores, windows }) => ({
      scores: scores.map((_, i) => windows.some(([first]) => first === i) ? 1 : 0),
      windows,
    }))
    const single = (i: number): number =>
      nabScoreAt([{ scores: new Array<number>(20).fill(0).with(i, 1), windows: [[12, 19]] }], 0.5).raw
    return nabScore(perfect).score === 100 && single(late) > single(late + 1)
  }))
  t.end()
})

t.test('detection delays tell what was found, how late, and which anomalies answer to no label', (t) => {
  const labels = [{ start: 1000, end: 5000 }, { start: 10_000, end: 12_000 }, { start: 20_000, end: 21_000 }]
  const early = { start: 0, end: 1000 }
  const inside = { start: 11_000, end: 11_500 }
  const again = { start: 12_000, end: 30_000 }
  const stray = { start: 6000, end: 7000 }
  t.same(detectionDelays(labels, [stray, again, inside, early]), {
    findings: [
      { label: labels[0], found: true, delayMs: 0 },
      { label: labels[1], found: true, delayMs: 1000 },
      { label: labels[2], found: true, delayMs: 0 },
    ],
    falseAnomalies: [stray],
  })
  const after = detectionDelays(labels.slice(0, 1), [stray], { toleranceMs: 1000 })
  t.same(
    after,
    { findings: [{ label: labels[0], found: true, delayMs: 5000 }], falseAnomalies: [] },
    'within the tolerance after the end'
  )
  t.same(detectionDelays(labels.slice(0, 1), [stray], { toleranceMs: 999 }).falseAnomalies, [stray], 'beyond it')
  t.same(detectionDelays([], [stray]), { findings: [], falseAnomalies: [stray] }, 'no labels')
  t.same(detectionDelays(labels.slice(2), []), {
    findings: [{ label: labels[2], found: false, delayMs: null }],
    falseAnomalies: [],
  }, 'no anomalies')
  t.end()
})

t.test('a longer tolerance never loses a label or adds a false anomaly; every label finds itself at once', (t) => {
  const intervals = fc.array(fc.tuple(fc.nat(500), fc.nat(40)).map(([start, size]) => ({ start, end: start + size })), {
    maxLength: 12,
  })
  fc.assert(fc.property(intervals, intervals, fc.nat(60), (labels, anomalies, toleranceMs) => {
    const strict = detectionDelays(labels, anomalies)
    const lenient = detectionDelays(labels, anomalies, { toleranceMs })
    const kept = strict.findings.every(({ found, delayMs }, i) => !found || lenient.findings[i]!.delayMs === delayMs)
    const bounded = lenient.findings.every(({ label, delayMs }) =>
      delayMs === null || (delayMs >= 0 && delayMs <= label.end - label.start + toleranceMs)
    )
    const itself = detectionDelays(labels, labels)
    return kept && bounded && lenient.falseAnomalies.length <= strict.falseAnomalies.length &&
      itself.falseAnomalies.length === 0 && itself.findings.every(({ delayMs }) => delayMs === 0)
  }))
  t.end()
})
