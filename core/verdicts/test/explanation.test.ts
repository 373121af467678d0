// Kinds and sentences: what a person would say of an anomaly.
import fc from 'fast-check'
import t from 'tap'
import { detectCausal } from '../../detector/detector.ts'
import { detectBatch } from '../../detector/hindsight.ts'
import { EVIDENCE, evidenceCode, PATTERN, VIEWS } from '../../evidence/model.ts'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { createRandom } from '../../random.ts'
import type { Scoring } from '../../scoring/detection.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { type Account, accountOf, joinAccounts } from '../account.ts'
import { explainAnomalies, type ExplainedAnomaly, Explainer } from '../explanation.ts'
import { KINDS } from '../kinds.ts'
import { type Facts, sentenceOf } from '../sentence.ts'

const [MINUTE, HOUR] = [60_000, 3_600_000]
/** A Monday. */
const START = Date.UTC(2026, 0, 5)

async function explained (series: Series, scoring: Scoring = 'batch', numbered = false): Promise<ExplainedAnomaly[]> {
  const options = scoring === 'batch' ? {} : { rows: series.length >> 1 }
  const { model, autoencoders } = await fitAdHoc(series, { ...options, scoring })
  const detection = (scoring === 'batch' ? detectBatch : detectCausal)(model, autoencoders, series)
  return explainAnomalies(series, detection, model, { scoring, numbered })
}

/** Noise around 20, and what `change` makes of it. */
function noise (change: (value: number, t: number) => number, interval = MINUTE): Series {
  const random = createRandom('explanation')
  const flow = Array.from({ length: 1000 }, (_, t) => change(20 + random.normal(), t))
  return fromColumns({ start: START, interval, columns: { flow } })
}

/** The anomaly that covers the row 700 or 720. */
const main = (all: readonly ExplainedAnomaly[]): ExplainedAnomaly =>
  all.find(({ from, to }) => (from <= 700 && to >= 700) || (from <= 720 && to >= 720))!

t.test('a spike is told with the value, what was expected, and how far from it values usually lie', async (t) => {
  const { kind, message } = main(await explained(noise((value, t) => t === 700 ? 100.2 : value)))
  t.equal(kind, 'spike')
  t.match(message, /^flow: value 100\.2, expected [12]\d(\.\d+)? ± \d(\.\d)?$/)
})

t.test('a level is told with its mean, and for how long', async (t) => {
  const series = noise((value, t) => t >= 700 && t < 730 ? value - 12 : value)
  const { kind, message } = main(await explained(series))
  t.equal(kind, 'level')
  t.match(message, /^flow: mean [78](\.\d+)? over \d\d min, expected 20(\.\d+)? ± \d/)
  t.match(main(await explained(series, 'batch', true)).message, / over \d\d observations, /, 'no times, no durations')
})

t.test('noise that grows is a matter of variance', async (t) => {
  const series = noise((value, t) => t >= 700 && t < 740 ? 20 + 6 * (value - 20) : value)
  const { kind, message } = main(await explained(series))
  t.equal(kind, 'variance')
  t.match(message, /^flow: varies more than usual for \d\d min, for example \S+ where \S+ ± \S+ is expected$/)
})

t.test('a value that does not change is told with how long it usually stays', async (t) => {
  const series = noise((value, t) => t >= 700 && t < 801 ? 20.5 : value)
  const { kind, message } = main(await explained(series))
  t.equal(kind, 'quiet')
  t.equal(message, 'flow: unchanged for 1 h 40 min, usually at most 5 min')
  const causal = main(await explained(series, 'causal'))
  t.equal(causal.message, message, 'causally, too, though the anomaly begins later')
})

t.test('a channel that changes, but hardly, is quiet', async (t) => {
  const series = noise((value, t) => t >= 700 && t < 800 ? 20 + (value - 20) / 60 : value)
  const { kind, message } = main(await explained(series))
  t.equal(kind, 'quiet')
  t.match(message, /^flow: hardly changes for 1 h( \d+ min)?, its usual step is \d\.\d+$/)
})

t.test('a nightly job that is missed is odd for the time of day only', async (t) => {
  const random = createRandom('nightly')
  const job = Array.from({ length: 40 * 24 }, (_, t) => (t % 24 === 6 && t !== 30 * 24 + 6 ? 52 : 12) + random.normal())
  const all = await explained(fromColumns({ start: START, interval: HOUR, columns: { job_s: job } }))
  t.match(all, [{ kind: 'seasonal', from: 726, to: 726 }])
  t.match(all[0]!.message, /^job_s: 1\d(\.\d+)? at 06:00, usually 5\d(\.\d+)? ± \d(\.\d)? at this time of day$/)
})

t.test('a part of a day is told by its mean; a value that no time of day has is a spike', async (t) => {
  const random = createRandom('season')
  const visits = Array.from({ length: 1000 }, (_, t) => {
    const isOut = t >= 727 && t < 741
    return t === 300 ? 400 : (isOut ? 30 : 60 - 40 * Math.cos(Math.PI * t / 12)) + 2 * random.normal()
  })
  const all = await explained(fromColumns({ start: START, interval: HOUR, columns: { visits } }))
  t.equal(all.find(({ from }) => from === 300)?.kind, 'spike')
  const odd = all.find(({ from, to }) => from < 734 && to > 734)
  t.equal(odd?.kind, 'seasonal')
  t.match(odd?.message, /^visits: mean [23]\d.* over 1?\d h, usually .* at this time of day$/)
})

t.test('one of two that part is told with the other', async (t) => {
  const random = createRandom('two')
  let wander = 50
  const inlet = Array.from({ length: 1000 }, () => (wander += random.normal()) + 0.3 * random.normal())
  const outlet = inlet.map((value, t) => value + 5 + 0.3 * random.normal() + (t >= 700 && t < 740 ? 6 : 0))
  const series = fromColumns({ start: START, interval: MINUTE, columns: { inlet, outlet } })
  const { kind, message } = main(await explained(series))
  t.equal(kind, 'relation')
  t.match(message, /^(in|out)let does not follow (out|in)let: mean \S+ over \d\d min, expected \S+/)
})

t.test('a wild value of a valve is one row, however it switches', async (t) => {
  for (const chance of [0.1, 0.5]) {
    const random = createRandom(`valve ${chance}`)
    let open = 0
    const valve = Array.from({ length: 1000 }, (_, t) => {
      if (random.uniform() < chance) open = 1 - open
      return t === 600 ? 60 : open
    })
    const found = await explained(fromColumns({ start: START, interval: MINUTE, columns: { valve } }))
    t.same(found.map(({ from, to, kind }) => [from, to, kind]), [[600, 600, 'spike']], `${chance}`)
  }
  const cycle = Array.from({ length: 1000 }, (_, t) => t === 620 ? 60 : Math.floor(t / 50) % 2)
  const [one] = await explained(fromColumns({ start: START, interval: MINUTE, columns: { cycle } }))
  t.equal(one!.message, 'cycle: value 60, expected 0', 'no band that only rounding is outside of')
})

t.test('a channel that never varied departs from its value', async (t) => {
  const random = createRandom('constant')
  const errors = Array.from({ length: 1000 }, (_, t) => t === 200 ? 66 : 0)
  const load = errors.map(() => random.normal())
  const [one] = await explained(fromColumns({ start: START, interval: MINUTE, columns: { errors, load } }))
  t.match(one, { kind: 'spike', message: 'errors: value 66, usually 0', peak: 200 })
  const longer = errors.map((_, t) => t >= 200 && t < 220 ? 3 : 0)
  const [level] = await explained(fromColumns({ start: START, interval: MINUTE, columns: { errors: longer, load } }))
  t.match(level, { kind: 'level', message: 'errors: mean 3 over 20 min, usually 0' })
})

const twoChannels = fromColumns({
  start: START,
  interval: MINUTE,
  columns: Object.fromEntries(['a', `b ${'long '.repeat(30)}`].map((name, c) => {
    const random = createRandom(name)
    return [name, Array.from({ length: 300 }, (_, t) => Math.sin(t / (c + 4)) + 0.1 * random.normal())]
  })),
})
const { model: fitted } = await fitAdHoc(twoChannels)

const code = fc.oneof(
  fc.constant(PATTERN),
  fc.tuple(fc.constantFrom(...EVIDENCE), fc.constantFrom(...VIEWS)).map(([kind, view]) => evidenceCode(kind, view))
)
const number = fc.oneof(fc.double(), fc.double({ min: -100, max: 100 }), fc.constant(NaN))
const row = fc.record({
  time: fc.integer({ min: 0, max: 4e12 }),
  score: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  evidence: code,
  contributions: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => [share, 1 - share]),
  values: fc.tuple(number, number),
  expected: fc.tuple(number, number),
})

t.test('whatever the rows hold, the sentence is one short line that names the channel', async () => {
  const options = fc.record({ scoring: fc.constantFrom<Scoring>('batch', 'causal'), numbered: fc.boolean() })
  const rows = fc.array(row, { maxLength: 12 })
  fc.assert(fc.property(rows, options, fc.nat(1), fc.nat(1e7), (all, given, first, length) => {
    const explainer = new Explainer(fitted, given)
    const account = all.reduce<Account>((before, one) => explainer.add(before, one), [])
    const { kind, message } = explainer.explain(account, first, length + 1)
    return KINDS.includes(kind) && message.length <= 140 && !/[\n\r]|NaN|Infinity|undefined|null/.test(message) &&
      message.startsWith(first === 0 ? 'a' : 'b long long')
  }), { numRuns: 1000 })
})

t.test('evidence of the channel tells more than a pattern around it', async (t) => {
  const explainer = new Explainer(fitted, { scoring: 'batch' })
  const rows = Array.from({ length: 40 }, (_, i) => ({
    time: START + i * MINUTE,
    score: i >= 15 && i < 25 ? 7 : 3,
    evidence: i >= 15 && i < 25 ? evidenceCode('point') : PATTERN,
    contributions: [1, 0],
    values: [i >= 15 && i < 25 ? 8 : 0, 0],
    expected: [1, 0],
  }))
  const account = rows.reduce<Account>((before, one) => explainer.add(before, one), [])
  t.match(explainer.explain(account, 0, 40), { kind: 'level', message: /^a: mean 8 over 10 min, expected 1 ± / })
})

t.test('accounts of rows join in any grouping, and survive JSON', async () => {
  const ranges = [undefined, { low: -1, high: 1, seasonal: true }]
  fc.assert(fc.property(row, row, row, (a, b, c) => {
    const [one, two, three] = [a, b, c].map((each) => accountOf(each, ranges)) as [Account, Account, Account]
    const left = joinAccounts(joinAccounts(one, two), three)
    const right = joinAccounts(one, joinAccounts(two, three))
    const total = (account: Account): number =>
      account.reduce((sum, { weights }) => sum + weights.reduce((most, weight) => most + weight, 0), 0)
    const scores = a.score + b.score + c.score
    return Math.abs(total(left) - scores) <= 1e-9 * scores && left.length === right.length &&
      left.every(({ channel, top }, i) =>
        channel === right[i]!.channel && top.score === right[i]!.top.score) &&
      JSON.stringify(JSON.parse(JSON.stringify(one))) === JSON.stringify(one)
  }))
})

t.test('a single row has a kind of its own', async (t) => {
  const explainer = new Explainer(fitted, { scoring: 'causal' })
  const one = { time: START, score: 2, contributions: [1, 0], values: [50, 0], expected: [0, 0] }
  const kind = (evidence: number) => explainer.kindOf(explainer.add([], { ...one, evidence }))
  t.equal(kind(evidenceCode('point')), 'spike')
  t.equal(kind(evidenceCode('frozen')), 'quiet')
  t.equal(kind(PATTERN), 'pattern')
})

/** Facts about one row of a channel. */
function factsOf (value: number, expected: number, evidence = evidenceCode('point')): Omit<Facts, 'kind'> {
  const [account] = accountOf(
    { time: START, score: 2, evidence, contributions: [1], values: [value], expected: [expected] },
    [undefined]
  )
  return { channel: 'flow', length: 1, interval: MINUTE, numbered: false, account: account! }
}

t.test('sentences make do with what is known', async (t) => {
  const unknown = factsOf(NaN, 1)
  t.equal(sentenceOf({ ...unknown, kind: 'spike' }), 'flow: unusual value')
  t.equal(sentenceOf({ ...unknown, kind: 'level' }), 'flow: unusual level for 1 min')
  t.equal(sentenceOf({ ...unknown, kind: 'variance' }), 'flow: varies more than usual for 1 min')
  t.equal(sentenceOf({ ...unknown, kind: 'seasonal', period: 10 }), 'flow: unusual for the time')
  t.equal(sentenceOf({ ...unknown, kind: 'relation' }), 'flow does not follow the other channels')
  t.equal(sentenceOf({ ...unknown, kind: 'quiet' }), 'flow: hardly changes for 1 min')
  const numbered = { ...factsOf(3, 8), numbered: true, period: 10, margin: 2 }
  t.equal(
    sentenceOf({ ...numbered, kind: 'seasonal' }),
    'flow: 3, usually 8 ± 2 at this point of its cycle of 10 observations'
  )
  const names = { channel: 'first '.repeat(9), partner: 'second '.repeat(9) }
  const long = sentenceOf({ ...factsOf(-1.2345e-9, 9.8765e-9), ...names, margin: 1.2e-9, kind: 'relation' })
  t.ok(long.length <= 140 && long.startsWith('first first'), long)
  const longest = { ...factsOf(-1.2345e-101, 9.8765e-101), ...names, channel: '😀'.repeat(50), margin: 1.2e-101 }
  t.ok(sentenceOf({ ...longest, kind: 'relation' }).endsWith('…'))
})

t.test('a channel that never varied has no delay, and rows between merged runs do not count', async (t) => {
  const random = createRandom('merged')
  const load = Array.from({ length: 400 }, () => random.normal())
  const errors = load.map((_, t) => t === 300 || t === 303 ? 5 : 0)
  const all = await explained(fromColumns({ start: START, interval: MINUTE, columns: { errors, load } }), 'causal')
  const found = all.find(({ from }) => from === 300)
  t.match(found, { to: 303, kind: 'spike', message: 'errors: value 5, usually 0' })
})
