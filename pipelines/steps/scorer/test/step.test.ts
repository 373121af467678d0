// The scorer: the verdicts of causal scoring bit for bit, whatever interrupts it; other versions of the model;
// incidents.
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { isAnomalous } from '../../../../core/scoring/threshold.ts'
import { accountOf } from '../../../../core/verdicts/account.ts'
import { PATTERN } from '../../../../core/evidence/model.ts'
import { detectCausal } from '../../../../core/detector/detector.ts'
import { withoutLevel } from '../../../../core/scoring/level.ts'
import { createRandom } from '../../../../core/random.ts'
import { observation, type Series, slice, timeOf } from '../../../../core/series/series.ts'
import { parseSettings } from '../../../../adapters/settings/values.ts'
import { altered, fitLinear, SMALL, waves } from '../../../../core/test/synthetic.ts'
import { imputerKind } from '../../imputer/step.ts'
import { hold } from '../../imputer/strategies/hold.ts'
import type { Message, MessageOf } from '../../../messages/messages.ts'
import { MESSAGES } from '../../../messages/messages.ts'
import { incidentRules, SCORER_SETTINGS } from '../../../settings/scorer.ts'
import type { Received, Step } from '../../../runtime/step.ts'
import { raw, received, Remembered } from '../../../runtime/test/outlet.ts'
import { Incidents } from '../incidents.ts'
import { type ScoredVersion, type ScorerOptions, scorerKind } from '../step.ts'

const train = waves(400)
const levelled = await fitLinear([train], { ...SMALL, causal: { ...SMALL.causal, levelSpan: 601 } })
const flat = { ...levelled, model: withoutLevel(levelled.model) }
const other = await fitLinear([waves(400, 3, 4)], SMALL, 12)
const STEP = train.interval

const versionOf = ({ model, autoencoders }: typeof levelled, version: string): ScoredVersion => ({
  name: 'waves',
  version,
  digest: `sha256:${version.repeat(64)}`,
  manifest: { detector: model },
  autoencoders,
})

const ONE = versionOf(levelled, '1')
const TWO = versionOf(other, '2')
const RULES = incidentRules(parseSettings(z.object(SCORER_SETTINGS), {}))

/** A live model that the test can replace. */
const following = (current: ScoredVersion) => ({ ready: async () => {}, current })

const open = async (saved?: unknown, live = following(ONE), more: Partial<ScorerOptions> = {}): Promise<Step> =>
  scorerKind({ live, topChannels: 3, incidents: RULES, ...more }).open(saved, new AbortController().signal)

async function run (step: Step, messages: readonly Received[]): Promise<Remembered> {
  const out = new Remembered()
  await step.process(messages, out)
  return out
}

/**
 * What the imputer makes of a series whose missing values are NaN; observations without any value do not come at all.
 */
async function imputed (name: string, series: Series): Promise<Received[]> {
  const detector = { channels: series.channels, interval: series.interval, maxGap: SMALL.maxGap }
  const kind = imputerKind({
    live: { ready: async () => {}, current: { manifest: { detector } } },
    strategy: hold,
    lateness: undefined,
    patience: 0,
    maxAhead: 1,
  })
  const [step, out] = [await kind.open(undefined, new AbortController().signal), new Remembered()]
  for (let i = 0; i < series.length; i++) {
    const row = observation(series, i)
    if (row.every(Number.isNaN)) continue
    await step.process([
      raw(
        name,
        timeOf(series, i),
        Object.fromEntries(series.channels.map((channel, c) => [channel, Number.isNaN(row[c]!) ? null : row[c]!]))
      ),
    ], out)
  }
  await step.tick!(0, out)
  return out.sent.map((message) => received(message))
}

const verdictsOf = (sent: readonly Message[]): Array<MessageOf<'verdict.v1'>> =>
  sent.filter((message) => message.type === 'verdict.v1')

/** Whether each verdict equals that of causal scoring of the whole series, bit for bit. */
function areCausal (sent: readonly Message[], series: Series, { model, autoencoders }: typeof levelled): boolean {
  const wanted = detectCausal(model, autoencoders, series)
  const numbers = (values: Float64Array, t: number): number[] => Array.from(values.subarray(3 * t, 3 * t + 3))
  return verdictsOf(sent).every(({ data }) => {
    const t = (Date.parse(data.time) - series.start) / STEP
    const score = wanted.score[t]!
    const filled = series.channels.filter((_, c) => wanted.imputed[3 * t + c] === 1)
    if (JSON.stringify([...data.imputed].sort()) !== JSON.stringify(filled)) return false
    if (data.score === null || data.contributions === null || data.expected === null) return Number.isNaN(score)
    const shares = numbers(wanted.contributions, t)
    return Object.is(data.score, score) && data.anomalous === isAnomalous(score) &&
      data.contributions.every(({ channel, contribution }) =>
        Object.is(contribution, shares[series.channels.indexOf(channel)])
      ) &&
      Object.values(data.expected).every((value, c) => Object.is(value, numbers(wanted.expected, t)[c]))
  })
}

/** Gaps, missing values and faults. */
const dirty = fc.array(
  fc.record({
    at: fc.nat(279),
    channel: fc.nat(3),
    what: fc.constantFrom('missing', 'missing', 'spike'),
    length: fc.integer({ min: 1, max: 14 }),
  }),
  { maxLength: 12 }
)
  .map((changes) =>
    altered(slice(waves(700), 400, 680), (values) => {
      for (const { at, channel, what, length } of changes) {
        for (let i = Math.max(1, at); i < Math.min(280, at + length); i++) {
          for (let c = 0; c < 3; c++) {
            if (c === channel || channel === 3) {
              values[3 * i + c] = what === 'missing'
                ? NaN
                : values[3 * i + c]! + 9
            }
          }
        }
      }
    })
  )

const cuts = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 90 }), again: fc.nat(12), successor: fc.boolean() }),
  { minLength: 3, maxLength: 8 }
)

t.test('one verdict of causal scoring for each observation, whatever is cut, interrupted and repeated', async () => {
  await fc.assert(
    fc.asyncProperty(dirty, dirty, cuts, async (a, b, pieces) => {
      const [first, second] = [await imputed('a', a), await imputed('b', b)]
      const messages = Array.from({ length: Math.max(first.length, second.length) }, (_, i) => [first[i], second[i]])
        .flat().filter((message) => message !== undefined)
      const whole = await run(await open(), messages)
      const got: Message[] = []
      let step = await open()
      for (let from = 0, i = 0; from < messages.length; i++) {
        const { size, again, successor } = pieces[i % pieces.length]!
        // Earlier records come again, as after a crash.
        got.push(...(await run(step, messages.slice(Math.max(0, from - again), from + size))).sent)
        if (successor) step = await open(JSON.parse(JSON.stringify(step.save!())))
        from += size
      }
      const bySeries = (sent: readonly Message[]): string =>
        JSON.stringify(['a', 'b'].map((name) => sent.filter(({ data }) => data.series === name)))
      const observed = messages.filter(({ type }) => type === 'observation.regular.v1').length
      return bySeries(got) === bySeries(whole.sent) && verdictsOf(got).length === observed &&
        new Set(got.map(({ id }) => id)).size === got.length &&
        ([['a', a], ['b', b]] as const).every(([name, series]) =>
          areCausal(got.filter(({ data }) => data.series === name), series, levelled)
        ) &&
        got.every(({ type, data }) => MESSAGES[type].schema.safeParse(data).success)
    }),
    { numRuns: 25 }
  )
})

const drifted = altered(waves(1500, 3, 2), (values) => {
  const random = createRandom('drift')
  for (let i = 3 * 200; i < values.length; i++) values[i]! += 2 * random.normal()
  values.fill(NaN, 3 * 1100, 3 * 1140)
})

t.test('a raised level survives a restart', async (t) => {
  const messages = await imputed('a', drifted)
  const sent: Message[] = []
  let step = await open()
  for (let from = 0; from < messages.length; from += 97) {
    sent.push(...(await run(step, messages.slice(from, from + 97))).sent)
    step = await open(JSON.parse(JSON.stringify(step.save!())))
  }
  t.ok(areCausal(sent, drifted, levelled))
  t.notOk(areCausal(sent, drifted, flat), 'the level was of consequence')
})

t.test('a gap of any length equals as many missing observations', async (t) => {
  const series = altered(drifted, (values) => values.fill(NaN, 3 * 700, 3 * 1300))
  t.ok(areCausal((await run(await open(), await imputed('a', series))).sent, series, levelled))
  const gap = (from: number, to: number): Received =>
    received({
      type: 'gap.v1',
      id: 'gap',
      receivedAt: to,
      data: { series: 'a', interval: STEP, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    })
  const [before, after] = [slice(series, 0, 300), slice(series, 1300, 1400)]
  const later = { ...after, start: before.start + 1e9 * STEP }
  const out = await run(await open(), [
    ...await imputed('a', before),
    gap(before.start + 300 * STEP, later.start - STEP),
    ...await imputed('a', later),
  ])
  t.ok(
    areCausal(verdictsOf(out.sent).slice(300), later, levelled),
    'behind a thousand million instants a series begins anew'
  )
  const held = await run(await open(), [
    ...await imputed('a', before),
    gap(before.start + 200 * STEP, before.start + 299 * STEP),
    gap(before.start + 290 * STEP, before.start + 310 * STEP),
    gap(2 * STEP, STEP),
    gap(STEP, STEP + 1),
  ])
  t.same(held.dropped, ['duplicate'], 'a gap of what was scored')
  t.same(held.rejected.map(([code]) => code), ['invalid-gap', 'off-grid'])
})

t.test('an incident that a gap closes has the arrival of the gap, whatever else comes in the same batch', async (t) => {
  const series = altered(slice(waves(700), 400, 480), (values) => {
    for (let i = 44; i < 48; i++) values[3 * i + 1]! += 9
    values.fill(NaN, 3 * 48, 3 * 70)
  })
  const messages = await imputed('a', series)
  const closed = async (batches: ReadonlyArray<readonly Received[]>): Promise<Message | undefined> => {
    const step = await open()
    const sent: Message[] = []
    for (const batch of batches) sent.push(...(await run(step, batch)).sent)
    return sent.find(({ type }) => type === 'incident.closed.v1')
  }
  const alone = await closed(messages.map((message) => [message]))
  const gap = messages.find(({ type }) => type === 'gap.v1')!
  t.equal(alone?.receivedAt, gap.receivedAt, 'it is closed within the gap')
  t.strictSame(await closed([messages]), alone)
  const at = messages.indexOf(gap)
  t.strictSame(await closed([messages.slice(0, at), messages.slice(at)]), alone, 'also where it begins the batch')
})

t.test('skipped instants are missing', async (t) => {
  const series = altered(slice(waves(700), 400, 600), (values) => {
    values.fill(NaN, 3 * 100, 3 * 102)
    values.fill(NaN, 3 * 150, 3 * 160)
  })
  const messages = (await imputed('a', series)).filter(({ type, data }) =>
    type === 'observation.regular.v1' && (data as { imputed: string[] }).imputed.length === 0
  )
  t.equal(messages.length, 188)
  t.ok(areCausal((await run(await open(), messages)).sent, series, levelled))
})

t.test('another version begins warm with the newest observations, also after a restart', async (t) => {
  const series = slice(waves(700), 400, 600)
  const messages = await imputed('a', series)
  const live = following(ONE)
  const step = await open(undefined, live)
  const before = await run(step, messages.slice(0, 120))
  t.equal(before.sent.length, 120)
  const saved = JSON.parse(JSON.stringify(step.save!()))
  live.current = TWO
  const idle = await open(saved, live)
  const untouched = await open(JSON.parse(JSON.stringify(idle.save!())), live)
  const { windowLength, causal: { smoothing } } = levelled.model
  for (const one of [step, await open(saved, live), untouched]) {
    const { sent } = await run(one, messages.slice(120))
    t.ok(verdictsOf(sent).every(({ data: { model, score } }) => model.version === '2' && score !== null))
    t.ok(areCausal(sent, slice(series, 120 - windowLength - smoothing, 200), other))
  }
  t.same((await run(await open(JSON.parse(JSON.stringify(untouched.save!())), live), messages)).dropped.length, 200)
  const back = await open(JSON.parse(JSON.stringify(idle.save!())), following(ONE))
  t.ok(
    areCausal((await run(back, messages.slice(120))).sent, series, levelled),
    'a version that was never asked leaves nothing behind'
  )
})

t.test('a model with other channels begins anew, and closes open incidents', async (t) => {
  const series = altered(slice(waves(700), 400, 500), (values) => {
    for (let i = 90; i < 100; i++) values[3 * i + 1]! += 9
  })
  const two = await fitLinear([waves(400, 2)])
  const live = following(ONE)
  const messages = await imputed('a', series)
  const more = await imputed('a', { ...slice(waves(700), 500, 520), start: timeOf(series, 100) })
  const step = await open(undefined, live)
  t.match(
    (await run(step, messages)).sent.filter(({ type }) => type !== 'verdict.v1').map(({ type }) => type).slice(0, 1),
    ['incident.opened.v1']
  )
  const saved = JSON.parse(JSON.stringify(step.save!()))
  live.current = versionOf(two, '3')
  for (const one of [step, await open(saved, live)]) {
    const { sent, dropped } = await run(one, [...messages.slice(-1), ...more])
    t.match(sent[0], {
      type: 'incident.closed.v1',
      receivedAt: timeOf(series, 99),
      data: { closed: true, model: { version: '1' }, channels: [{ channel: 'channel_1' }, {}, {}] },
    })
    t.same(dropped, ['duplicate'])
    t.same(verdictsOf(sent).map(({ data }) => data.score === null).indexOf(false), 7, 'warm-up')
    t.same(verdictsOf(sent).at(-1)?.data.contributions?.map(({ channel }) => channel).sort(), [
      'channel_0',
      'channel_1',
    ])
  }
})

t.test('unusable messages are rejected, and values filled for too long are not scored', async (t) => {
  const step = await open()
  const [first] = await imputed('a', slice(train, 0, 1))
  const changed = (data: object): Received => ({ ...first!, data: { ...first!.data, ...data } }) as Received
  const out = await run(step, [
    first!,
    changed({ interval: 1 }),
    changed({ time: '2026-01-01T00:10:01Z' }),
    changed({ time: '2026-01-01T24:10:00Z' }),
    changed({ values: { pressure_bar: 1 } }),
    changed({ series: 'b', values: { channel_0: 1, pressure_bar: 1 } }),
  ])
  t.same(out.rejected.map(([code]) => code), ['interval-mismatch', 'off-grid', 'invalid-time', 'no-known-channel'])
  t.match(out.sent, [{
    receivedAt: train.start,
    data: { threshold: 1, score: null, anomalous: null, contributions: null, expected: null, kind: undefined },
  }, { data: { series: 'b', values: { pressure_bar: 1 } } }])
  const filled = (await imputed('c', slice(train, 0, 30))).map((message, i) =>
    i < 20 ? message : { ...message, data: { ...message.data, imputed: ['channel_2'] } } as Received
  )
  const verdicts = verdictsOf((await run(step, filled)).sent)
  t.same(verdicts.slice(18, 24).map(({ data: { score, imputed: names } }) => [score === null, ...names]), [
    [false],
    [false],
    [false, 'channel_2'],
    [false, 'channel_2'],
    [true, 'channel_2'],
    [true, 'channel_2'],
  ])
  for (const saved of [null, { ...step.save!() as object, series: [['a', {}]] }]) {
    await t.rejects(open(saved), { code: 'invalid-state', message: /scorer.state.v1/ })
  }
})

/** The changes after each of the scores. The first channel causes scores of whole tenths, else the second one. */
function changesOf (
  scores: ReadonlyArray<number | null>,
  rules: Partial<typeof RULES> = {},
  interrupted = false
): string[] {
  let incidents = new Incidents({ ...RULES, closeAfter: 2, coolDown: 3, ...rules })
  return scores.flatMap((score, time) => {
    if (interrupted) {
      incidents = new Incidents(
        { ...RULES, closeAfter: 2, coolDown: 3, ...rules },
        JSON.parse(JSON.stringify(incidents.save()))
      )
    }
    const blamesFirst = score !== null && Number.isInteger(score * 10)
    const contributions = score === null ? null : Float64Array.of(blamesFirst ? 0.7 : 0.2, blamesFirst ? 0.3 : 0.8)
    const row = { time, score: score!, evidence: PATTERN, values: [0, 0], expected: [1, 0] }
    const account = isAnomalous(score ?? 0) ? accountOf({ ...row, contributions: contributions! }, []) : []
    const change = incidents.next(time, score, contributions, account)
    if (change === undefined) return []
    const { type, tally: { start, end, observations, peak } } = change
    return [`${time} ${type} ${start}-${end} ${observations} ${peak.score}@${peak.time}`]
  })
}

t.test('incidents open, change, close, and open again', async (t) => {
  t.same(
    changesOf([0.5, 1, 1.2, 1.3, 0.9, 0.5, 0.9, 0.5, 0.5, 0.5]),
    ['2 opened 2-2 1 1.2@2', '8 closed 2-3 2 1.3@3'],
    'scores between quiet and anomalous keep it open'
  )
  t.same(changesOf([1.5, 1.6, 1.7, 1.9, 2.1, 1.1]), [
    '0 opened 0-0 1 1.5@0',
    '2 updated 0-2 3 1.7@2',
    '3 updated 0-3 4 1.9@3',
    '4 updated 0-4 5 2.1@4',
  ], 'the peak rises by a tenth; it becomes critical')
  t.same(changesOf([1.95, 2.04]), ['0 opened 0-0 1 1.95@0', '1 updated 0-1 2 2.04@1'], 'it becomes critical')
  t.same(
    changesOf([1.5, 1.55, 1.55, 1.55, 1.5]),
    ['0 opened 0-0 1 1.5@0', '1 updated 0-1 2 1.55@1'],
    'another channel is to blame for most'
  )
  t.same(changesOf([1.5, null, null, null]), ['0 opened 0-0 1 1.5@0', '2 closed 0-0 1 1.5@0'],
    'what is not scored is quiet')
  t.same(changesOf([1.5, 0, 0, 0, 0, 1.2, 0, 0, 0, 0, 0, 1.2]), [
    '0 opened 0-0 1 1.5@0',
    '2 closed 0-0 1 1.5@0',
    '5 updated 0-5 2 1.5@0',
    '7 closed 0-5 2 1.5@0',
    '11 opened 11-11 1 1.2@11',
  ], 'within the cool-down it is the same')
  t.same(changesOf([1.2, 1.2, 0, 1.2, 1.2, 1.3, 0, 0, 0, 1.2, 0, 0, 1.2, 1.4, 1.2], { openAfter: 3 }), [
    '5 opened 3-5 3 1.3@5',
    '7 closed 3-5 3 1.3@5',
    '14 opened 12-14 3 1.4@13',
  ], 'a run begins with its first observation')
  t.same(changesOf([1.2, 1.2, 0, 0, 0, 0, 1.2, 1.2], { openAfter: 2 }), [
    '1 opened 0-1 2 1.2@0',
    '3 closed 0-1 2 1.2@0',
    '7 updated 0-7 4 1.2@0',
  ], 'a run that began within the cool-down')
  t.same(changesOf([1.2, 0, 0, 1.2], { coolDown: 0 }), [
    '0 opened 0-0 1 1.2@0',
    '2 closed 0-0 1 1.2@0',
    '3 opened 3-3 1 1.2@3',
  ])
})

t.test('incidents end only after they begin, and interruptions change nothing', async () => {
  const score = fc.oneof(fc.constantFrom(null, 0.5, 0.9, 1.25, 1.5), fc.double({ min: 0, max: 4, noNaN: true }))
  const rules = fc.record({
    openAfter: fc.integer({ min: 1, max: 3 }),
    closeAfter: fc.integer({ min: 1, max: 4 }),
    coolDown: fc.nat(6),
  })
  fc.assert(fc.property(fc.array(score, { maxLength: 120 }), rules, (scores, some) => {
    const lines = changesOf(scores, some)
    let isOpen = false
    const inOrder = lines.every((line) => {
      const [, type] = line.split(' ')
      const isRight = type === 'opened' ? !isOpen : type === 'closed' ? isOpen : true
      isOpen = type !== 'closed'
      return isRight
    })
    return inOrder && JSON.stringify(changesOf(scores, some, true)) === JSON.stringify(lines)
  }))
})

t.test('an incident names its channels, its severity and its peak, and keeps its id', async (t) => {
  const series = altered(slice(waves(700), 400, 500), (values) => {
    for (let i = 40; i < 55; i++) values[3 * i + 2]! += 20
  })
  const { sent } = await run(await open(undefined, following(ONE), { topChannels: 2 }), await imputed('a', series))
  const incidents = sent.filter(({ type }) => type.startsWith('incident.')) as Array<MessageOf<'incident.opened.v1'>>
  const start = new Date(timeOf(series, 40)).toISOString()
  t.match(incidents[0], {
    type: 'incident.opened.v1',
    receivedAt: timeOf(series, 40),
    data: {
      id: `a@${start}`,
      series: 'a',
      start,
      end: start,
      closed: false,
      observations: 1,
      model: { name: 'waves', version: '1' },
      kind: 'spike',
      message: /^channel_2: value \d+(\.\d+)?, expected \d+(\.\d+)? ± \d/,
    },
  })
  const { data: last, type } = incidents.at(-1)!
  t.equal(type, 'incident.closed.v1')
  t.match(last, { id: `a@${start}`, closed: true, severity: 'critical' })
  t.equal(last.channels.length, 2)
  t.equal(last.channels[0]?.channel, 'channel_2')
  t.match(last, { kind: 'level', message: /^channel_2: mean \S+ over \d h( \d\d min)?, expected \S+ ± \S+$/ })
  t.ok(verdictsOf(sent).every(({ data: { anomalous, kind } }) => (anomalous === true) === (kind !== undefined)))
  const flagged = verdictsOf(sent).filter(({ data }) => data.anomalous === true)
  t.equal(last.observations, flagged.length)
  t.equal(last.peak.score, Math.max(...flagged.map(({ data }) => data.score!)))
  t.equal(last.end, flagged.at(-1)?.data.time)
  t.ok(incidents.length < flagged.length, 'not one for each observation')
  t.equal(new Set(incidents.map(({ id }) => id)).size, incidents.length)
})
