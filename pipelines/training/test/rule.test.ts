// The rule of promotion: what it says in plain cases, and that it is monotone.
import fc from 'fast-check'
import t from 'tap'
import { decide, type Judged, type JudgedPackage, SLACK } from '../rule.ts'

const scoring = (changes: Partial<Judged> = {}): Judged => ({
  found: 5,
  faults: 10,
  falseAnomaliesPerSeriesWeek: 0.5,
  f1: 0.6,
  vusPr: 0.7,
  ...changes,
})
const judged = (digest: string, batch: Partial<Judged> = {}, causal = batch): JudgedPackage => ({
  digest,
  batch: scoring(batch),
  causal: scoring(causal),
})
const live = judged('live')

t.test('in plain cases', (t) => {
  const cases: ReadonlyArray<[what: string, JudgedPackage, string, RegExp]> = [
    ['nothing differs', judged('new'), 'keep', /^Nothing is better than with the live model\.$/],
    ['more found', judged('new', { found: 6 }), 'promote', /^There is an improvement: more faults found\.$/],
    [
      'more found by one scoring, fewer by the other',
      judged('new', { found: 9 }, { found: 4 }),
      'keep',
      /4 of 10 instead of 5 are found \(causal\)/,
    ],
    ['fewer false anomalies', judged('new', { falseAnomaliesPerSeriesWeek: 0.4 }), 'promote', /fewer false anomalies/],
    [
      'a higher F1, a few more false anomalies',
      judged('new', { f1: 0.7, falseAnomaliesPerSeriesWeek: 0.5 + SLACK / 2 }),
      'promote',
      /a higher F1\./,
    ],
    [
      'a higher F1, many more false anomalies',
      judged('new', { f1: 0.7, falseAnomaliesPerSeriesWeek: 0.7 }),
      'keep',
      /^0\.7 false anomalies per series and week instead of 0\.5 \(batch\), 0\.7 .*\(causal\)\.$/,
    ],
    [
      'fewer false anomalies for a lower F1',
      judged('new', { f1: 0.5, falseAnomaliesPerSeriesWeek: 0 }),
      'keep',
      /F1 is 0\.5 instead of 0\.6\./,
    ],
    ['scores that rank better, and nothing else', judged('new', { vusPr: 0.71 }), 'promote', /a higher VUS-PR/],
  ]
  for (const [what, candidate, verdict, because] of cases) {
    const decision = decide(candidate, live)
    t.equal(decision.verdict, verdict, what)
    t.match(decision.because, because, what)
    t.equal(decision.clauses.length, 5, 'every clause is told')
    t.equal(decision.verdict === 'promote', decision.clauses.every(({ holds }) => holds))
  }
  t.end()
})

t.test('where there is nothing to compare', (t) => {
  t.match(decide(judged('new'), undefined), { verdict: 'promote', because: 'No model was live.', clauses: [] })
  t.match(decide(judged('live', { found: 0 }), live), { verdict: 'same', clauses: [] })
  t.match(decide(judged('new', { found: 9 }), live, true), { verdict: 'keep', because: /rolled this very model back/ })
  t.match(decide(judged('new'), undefined, true), { verdict: 'keep' }, 'nor where nothing is live since')
  const none = { found: 0, faults: 0, f1: null, vusPr: null }
  t.match(decide(judged('new', { ...none, falseAnomaliesPerSeriesWeek: 0 }), judged('live', none)), {
    verdict: 'keep',
    because: /no labelled fault/,
  }, 'a model that says nothing is not the better one')
  t.end()
})

const figures = fc.record({
  found: fc.integer({ min: 0, max: 20 }),
  faults: fc.constant(20),
  falseAnomaliesPerSeriesWeek: fc.double({ min: 0, max: 3, noNaN: true }),
  f1: fc.double({ min: 0, max: 1, noNaN: true }),
  vusPr: fc.double({ min: 0, max: 1, noNaN: true }),
})
const packages = (digest: string) => fc.record({ digest: fc.constant(digest), batch: figures, causal: figures })
const gains = fc.record({
  found: fc.integer({ min: 0, max: 5 }),
  alarms: fc.double({ min: 0, max: 1, noNaN: true }),
  f1: fc.double({ min: 0, max: 0.5, noNaN: true }),
  vusPr: fc.double({ min: 0, max: 0.5, noNaN: true }),
})

/** The figures, better by so much; by at least a little of everything where `strictly`. */
function better (
  one: Judged,
  by: { found: number, alarms: number, f1: number, vusPr: number },
  strictly = false
): Judged {
  const least = strictly ? 1e-9 : 0
  return {
    ...one,
    found: one.found + by.found + (strictly ? 1 : 0),
    falseAnomaliesPerSeriesWeek: one.falseAnomaliesPerSeriesWeek - by.alarms - least,
    f1: one.f1! + by.f1 + least,
    vusPr: one.vusPr! + by.vusPr + least,
  }
}

t.test('better in everything is never refused, worse in everything never promoted', (t) => {
  fc.assert(fc.property(packages('a'), gains, gains, (one, batch, causal) => {
    const other = { digest: 'b', batch: better(one.batch, batch, true), causal: better(one.causal, causal, true) }
    return decide(other, one).verdict === 'promote' && decide(one, other).verdict === 'keep'
  }))
  t.end()
})

t.test('no better figure turns a promotion into a refusal', (t) => {
  fc.assert(fc.property(packages('a'), packages('live'), gains, gains, (candidate, other, batch, causal) => {
    const improved = { digest: 'b', batch: better(candidate.batch, batch), causal: better(candidate.causal, causal) }
    return decide(candidate, other).verdict !== 'promote' || decide(improved, other).verdict === 'promote'
  }), { numRuns: 1000 })
  t.end()
})
