// The imputer: any order, repetitions and interruptions give the same observations on the grid. Also tests each rule of
// its README.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Verdict } from '../../../../core/scoring/detection.ts'
import { Detector, detectCausal } from '../../../../core/detector/detector.ts'
import { fitLinear, waves } from '../../../../core/test/synthetic.ts'
import type { Message } from '../../../messages/messages.ts'
import type { Received, Step } from '../../../runtime/step.ts'
import { raw, received, Remembered } from '../../../runtime/test/outlet.ts'
import { type ImputerOptions, imputerKind } from '../step.ts'
import { hold } from '../strategies/hold.ts'
import { linear } from '../strategies/linear.ts'
import { loadStrategy } from '../strategies/load-strategy.ts'

const { model, autoencoders } = await fitLinear([waves(400)])
const [A, B, C] = model.channels as [string, string, string]
const STEP = model.interval
const START = Date.UTC(2026, 0, 1)
const PATIENCE = 1000

/** A live model that the test can replace. */
const following = (detector: Pick<typeof model, 'channels' | 'interval' | 'maxGap'> = model) => ({
  ready: async () => {},
  current: { manifest: { detector } },
})

const options = (more: Partial<ImputerOptions> = {}): ImputerOptions => ({
  live: following(),
  strategy: hold,
  lateness: undefined,
  patience: PATIENCE,
  maxAhead: 86_400_000,
  ...more,
})

const open = async (more?: Partial<ImputerOptions>, saved?: unknown): Promise<Step> =>
  imputerKind(options(more)).open(saved, new AbortController().signal)

/** The results of messages, one call for each; with `all`, also the instants that still wait. */
async function run (step: Step, messages: readonly Received[], all = true): Promise<Remembered> {
  const out = new Remembered()
  for (const message of messages) await step.process([message], out)
  if (all) for (const now of [0, PATIENCE]) await step.tick!(now, out)
  return out
}

/**
 * Observations of one series: instant, channels with a value, how late, how far beside the instant, and whether it
 * comes again.
 */
interface Coming {
  readonly instant: number
  readonly channels: readonly number[]
  readonly delay: number
  readonly beside: number
  readonly again: number | undefined
}

const LENGTH = 60
const source = waves(LENGTH, 3, 5)

const coming: fc.Arbitrary<Coming[]> = fc.array(
  fc.record({
    instant: fc.integer({ min: 1, max: LENGTH - 1 }),
    span: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom([0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1], [1, 2], [2]),
    apart: fc.boolean(),
    delay: fc.array(fc.double({ min: 0, max: 3.99, noNaN: true }), { minLength: 9, maxLength: 9 }),
    beside: fc.double({ min: -0.49, max: 0.49, noNaN: true }),
    again: fc.option(fc.double({ min: 0, max: 3.99, noNaN: true }), { nil: undefined }),
  }),
  { minLength: 4, maxLength: 20 }
).map((pieces) =>
  pieces.flatMap(({ instant, span, channels, apart, delay, beside, again }) =>
    Array.from({ length: Math.min(span, LENGTH - instant) }, (_, i) =>
      (apart ? channels.map((c) => [c]) : [channels])
        .map((part, p): Coming => ({
          instant: instant + i,
          channels: part,
          delay: delay[(i + p) % 9]!,
          beside,
          again,
        }))).flat()
  )
)

function messageOf ({ instant, channels, beside }: Coming): Received {
  const values = Object.fromEntries(channels.map((c) => [model.channels[c]!, source.values[3 * instant + c]!]))
  // Of when it comes nothing may depend on the order.
  return raw('turbine-1', START + Math.round((instant + beside) * STEP), values, START + instant * STEP)
}

const FIRST = messageOf({ instant: 0, channels: [0, 1, 2], delay: 0, beside: 0, again: undefined })

const ordered = (
  list: readonly Coming[]
): Received[] => [FIRST, ...list.toSorted((a, b) => a.instant - b.instant).map(messageOf)]

/** None comes after one that is more than three intervals after it. */
const disordered = (list: readonly Coming[]): Received[] => [
  FIRST,
  ...list
    .flatMap((one) => [
      { one, at: one.instant + one.delay },
      ...one.again === undefined ? [] : [{ one, at: one.instant + one.again }],
    ])
    .sort((a, b) => a.at - b.at).map(({ one }) => messageOf(one)),
]

t.test('any order within the lateness, and any repetitions, give the result of the ordered stream', async () => {
  await fc.assert(
    fc.asyncProperty(coming, async (list) => {
      const [wanted, got] = [await run(await open(), ordered(list)), await run(await open(), disordered(list))]
      return JSON.stringify(got.sent) === JSON.stringify(wanted.sent) && got.rejected.length === 0 &&
        wanted.rejected.length === 0
    }),
    { numRuns: 150 }
  )
})

t.test('a restart at any point changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      coming,
      fc.array(fc.nat(200), { maxLength: 6 }),
      fc.constantFrom(hold, linear),
      async (list, cuts, strategy) => {
        const messages = disordered(list)
        const wanted = await run(await open({ strategy }), messages)
        const got: Message[] = []
        let saved: unknown
        let from = 0
        for (const cut of [...cuts.sort((a, b) => a - b), Infinity]) {
          const step = await open({ strategy }, saved)
          got.push(...(await run(step, messages.slice(from, cut), cut === Infinity)).sent)
          saved = JSON.parse(JSON.stringify(step.save!()))
          from = Math.max(from, cut)
        }
        return JSON.stringify(got) === JSON.stringify(wanted.sent)
      }
    ),
    { numRuns: 60 }
  )
})

t.test('a detector gives the results the scores of the series with its gaps, bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(coming, async (list) => {
      const holed = { ...source, values: new Float64Array(3 * LENGTH).fill(NaN) }
      for (const { instant, channels } of [{ instant: 0, channels: [0, 1, 2] }, ...list]) {
        for (const c of channels) holed.values[3 * instant + c] = source.values[3 * instant + c]!
      }
      const wanted = detectCausal(model, autoencoders, holed)
      const isWanted = ({ score, contributions, imputed }: Verdict, i: number): boolean =>
        Object.is(score ?? NaN, wanted.score[i]) &&
        imputed.every((flag, c) => flag === wanted.imputed[3 * i + c]) && (contributions ?? []).every((share, c) =>
          Object.is(share, wanted.contributions[3 * i + c])
        )
      const detector = new Detector(model, autoencoders)
      let next = START
      const { sent } = await run(await open(), disordered(list))
      return sent.every((message) => {
        if (message.type === 'gap.v1') {
          const { from, to } = message.data
          if (Date.parse(from) !== next) return false
          for (; next <= Date.parse(to); next += STEP) detector.observe({ time: next, values: [NaN, NaN, NaN] })
          return true
        }
        if (message.type !== 'observation.regular.v1' || Date.parse(message.data.time) !== next) return false
        const { values, imputed } = message.data
        const verdict = detector.observe({
          time: next,
          values: model.channels.map((name) => values[name] ?? NaN),
          filled: Uint8Array.from(model.channels, (name) => imputed.includes(name) ? 1 : 0),
        })
        next += STEP
        return isWanted(verdict, (next - START) / STEP - 1)
      })
    }),
    { numRuns: 100 }
  )
})

/** The instant, and what stands there: a value a channel, in brackets where it was filled; or a gap. */
const shown = (out: Remembered): string[] =>
  out.sent.map((message) => {
    const instant = (time: string): number => (Date.parse(time) - START) / STEP
    if (message.type === 'gap.v1') return `${instant(message.data.from)}-${instant(message.data.to)} gap`
    if (message.type !== 'observation.regular.v1') return message.type
    const { time, values, imputed } = message.data
    const cells = model.channels.map((name) => imputed.includes(name) ? `(${values[name]})` : String(values[name]))
    return `${instant(time)} ${cells.join(' ')}`
  })

const at = (instant: number, a: number | null, b: number | null = a, c: number | null = a): Received =>
  raw('s', START + instant * STEP, { [A]: a, [B]: b, [C]: c })

t.test('a complete next instant is sent at once, any other waits for the lateness', async (t) => {
  const step = await open()
  t.same(shown(await run(step, [at(0, 1)], false)), ['0 1 1 1'])
  t.same(shown(await run(step, [at(1, 2, null), at(2, 3), at(3, 4), at(4, 4)], false)), [], 'they wait for one another')
  t.same(shown(await run(step, [at(5, 5)], false)), ['1 2 (1) 2', '2 3 3 3', '3 4 4 4', '4 4 4 4', '5 5 5 5'])
  t.same(shown(await run(step, [at(7, null, 7)], false)), [])
  t.same(shown(await run(step, [at(7, 8, 9)], false)), [], 'complete, but not the next one')
  t.same(shown(await run(step, [at(6, 6)], false)), ['6 6 6 6', '7 8 7 8'], 'the first value of a channel counts')
  t.same(shown(await run(step, [at(9, 9), at(10, 9), at(11, 9), at(8, 8)], false)), [
    '8 8 8 8',
    '9 9 9 9',
    '10 9 9 9',
    '11 9 9 9',
  ], 'after three later ones it is in time')
})

t.test("gaps: the model's rule fills, the rest is one gap, a channel missing for longer stays empty", async (t) => {
  t.same(shown(await run(await open(), [at(0, 1), at(3, 2)])), ['0 1 1 1', '1 (1) (1) (1)', '2 (1) (1) (1)', '3 2 2 2'])
  t.same(shown(await run(await open(), [at(0, 1), at(9, 2)])), [
    '0 1 1 1',
    '1 (1) (1) (1)',
    '2 (1) (1) (1)',
    '3-8 gap',
    '9 2 2 2',
  ])
  t.same(shown(await run(await open(), [at(0, 1), ...[1, 2, 3, 5, 6].map((i) => at(i, 2, null))])), [
    '0 1 1 1',
    '1 2 (1) 2',
    '2 2 (1) 2',
    '3 2 null 2',
    '4 (2) null (2)',
    '5 2 null 2',
    '6 2 null 2',
  ])
  t.same(shown(await run(await open(), [at(0, 1, null), at(1, 1), at(4, null)])), [
    '0 1 null 1',
    '1 1 1 1',
    '2 (1) (1) (1)',
    '3 (1) (1) (1)',
    '4 null null null',
  ], 'nothing is made up of nothing')
  t.same(shown(await run(await open({ live: following({ ...model, maxGap: 0 }) }), [at(0, 1), at(2, 2)])), [
    '0 1 1 1',
    '1-1 gap',
    '2 2 2 2',
  ])
  const far = await run(await open({ maxAhead: Infinity }), [at(0, 1), at(1e8, 2)])
  t.same(
    shown(far),
    ['0 1 1 1', '1 (1) (1) (1)', '2 (1) (1) (1)', `3-${1e8 - 1} gap`, `${1e8} 2 2 2`],
    'a jump of a hundred million instants is one gap'
  )
})

t.test('an observation belongs to the nearest instant, halfway to the earlier one', async (t) => {
  const near = (milliseconds: number): Received => raw('s', START + milliseconds, { [A]: 1, [B]: 1, [C]: 1 })
  t.same(shown(await run(await open(), [near(-STEP / 2 + 1), near(STEP / 2 + 1), near(5 * STEP / 2)])), [
    '0 1 1 1',
    '1 1 1 1',
    '2 1 1 1',
  ])
  t.same(
    shown(
      await run(await open(), [
        received({
          type: 'observation.raw.v1',
          id: '1',
          receivedAt: START,
          data: { series: 's', time: '2026-01-01T05:30+05:30', values: { [A]: 1 } },
        }),
      ])
    ),
    ['0 1 null null']
  )
})

t.test('an observation of a sent instant is a duplicate if it adds nothing, else late', async (t) => {
  const out = await run(await open(), [
    at(0, 1),
    at(1, 1),
    at(1, 1),
    at(1, 9),
    at(0, 1),
    at(5, 1),
    at(8, 1, null),
    at(12, 1),
    at(8, 2, null),
    at(8, 2),
    at(6, 1),
    at(-1, 1),
  ])
  t.same(out.dropped, Array(4).fill('duplicate'), '1 twice, 0, and 8 without the channel that was missing')
  t.same(out.rejected.map(([code]) => code), ['late', 'late', 'late'])
  t.match(
    out.rejected[0]![1],
    /2026-01-01T01:20:00.000Z was sent without it.*series is at 2026-01-01T01:20:00.000Z.*1800 s later/
  )
})

t.test('unusable observations are rejected with a reason', async (t) => {
  const message = (time: string, values: Record<string, number>, receivedAt = START): Received =>
    received({ type: 'observation.raw.v1', id: '1', receivedAt, data: { series: 's', time, values } })
  const out = await run(await open(), [
    message('2026-01-02T00:00:01Z', { [A]: 1 }),
    message('2026-01-02T00:00:00Z', { pressure_bar: 1 }),
    message('2026-01-02T00:00:00Z', {}),
    message('2026-01-02T24:30:00Z', { [A]: 1 }, Infinity),
    message('2026-01-02T00:00:00Z', { [A]: 1, pressure_bar: 1 }),
  ])
  t.same(out.rejected.map(([code]) => code), ['future-dated', 'no-known-channel', 'no-known-channel', 'invalid-time'])
  t.match(out.rejected[0]![1], /86401 s after its arrival, and at most 86400 s/)
  t.match(out.sent, [{
    id: 's/2026-01-02T00:00:00.000Z',
    receivedAt: START,
    data: { interval: STEP, values: { [A]: 1, [B]: null, [C]: null }, imputed: [] },
  }], 'a channel that the model has not is left out')
  t.equal(out.sent.length, 1)
})

t.test('patience: a silent series is released after that time, also after a restart', async (t) => {
  const other = raw('other', START, { [A]: 1 })
  let step = await open()
  const ticks = async (...times: number[]): Promise<string[]> => {
    const out = new Remembered()
    for (const now of times) await step.tick!(now, out)
    return shown(out)
  }
  await run(step, [at(0, 1), at(1, 2, null), at(3, 3)], false)
  t.same(await ticks(5000, 5999), [])
  await run(step, [other], false)
  t.same(await ticks(6000), ['1 2 (1) 2', '2 (2) (1) (2)', '3 3 3 3'])
  step = await open({}, JSON.parse(JSON.stringify(step.save!())))
  t.same(await ticks(9000, 9999), [], 'it cannot know since when the other waits')
  t.same(await ticks(10_000, 99_000), ['0 1 null null'])
})

t.test('another model: waiting instants are sent on the old grid, the new one continues after it', async (t) => {
  const live = following()
  const finer = following({ channels: [C, A], interval: STEP / 2, maxGap: 2 }).current
  const step = await open({ live })
  await run(step, [at(0, 1), at(1, 2, null)], false)
  const saved = JSON.parse(JSON.stringify(step.save!()))
  live.current = following({ ...model, maxGap: 0 }).current
  t.same(
    shown(await run(await open({ live }, saved), [at(2, 3)])),
    ['1 2 null 2', '2 3 3 3'],
    'the same grid, another rule'
  )
  live.current = finer
  for (const one of [step, await open({ live }, saved)]) {
    const out = await run(one, [at(2, 3), at(1, 3)], false)
    t.match(out.sent.map(({ data }) => data), [{ time: '2026-01-01T00:10:00.000Z', interval: STEP, imputed: [B] }])
    t.equal(out.sent.length, 1)
    t.same(out.rejected.map(([code]) => code), ['late'], 'nothing of what the old grid has sent comes again')
    t.match((await run(one, [])).sent.map(({ data }) => data), [
      { from: '2026-01-01T00:15:00.000Z', to: '2026-01-01T00:15:00.000Z', interval: STEP / 2 },
      { time: '2026-01-01T00:20:00.000Z', interval: STEP / 2, values: { [A]: 3, [C]: 3 } },
    ])
  }
})

t.test('strategies: built-in ones, one from a module, and refused ones', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'zero.js')
  writeFileSync(
    path,
    `export const strategy = {
      open: () => ({ observed () {}, fill: (channel) => channel === 1 ? 0 : NaN, save: () => null })
    }`
  )
  writeFileSync(join(folder, 'none.js'), 'export const strategy = 1')
  t.same(shown(await run(await open({ strategy: await loadStrategy(path) }), [at(0, 1), at(2, 2)])), [
    '0 1 1 1',
    '1 null (0) null',
    '2 2 2 2',
  ])
  t.same(
    shown(await run(await open({ strategy: await loadStrategy('linear') }), [at(0, 1, null), at(3, 4, null, null)])),
    ['0 1 null 1', '1 (2) null (1)', '2 (3) null (1)', '3 4 null null']
  )
  t.equal(await loadStrategy('hold'), hold)
  await t.rejects(loadStrategy(join(folder, 'none.js')), { code: 'invalid-settings', message: /exports no `strategy`/ })
  await t.rejects(loadStrategy('cubic'), {
    code: 'invalid-settings',
    message: /no such module can be loaded.*hold, linear/s,
  })
})

t.test('an unreadable state is refused', async (t) => {
  for (const saved of [null, { channels: [A], interval: 1, series: [['s', {}]] }]) {
    await t.rejects(open({}, saved), { code: 'invalid-state', message: /imputer.state.v1/ })
  }
  const step = await open({ strategy: linear })
  await run(step, [at(0, 1)], false)
  await t.rejects(open({}, step.save!()), { code: 'invalid-state', message: /set the strategy/ })
})
