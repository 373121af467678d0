// The generator: what it plays, when each observation is due, and that nothing is lost, doubled or ahead of the clock.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createRandom } from '../../../core/random.ts'
import { CHANNELS } from '../../../simulator/channels.ts'
import { FAULT_TYPES } from '../../../simulator/faults.ts'
import { type RawObservation, RawObservationSchema } from '../../messages/messages.ts'
import { csvFleet } from '../csv-files.ts'
import { planFaults, type PlannedFault, type PlanOptions } from '../fault-plan.ts'
import { fleet, type FleetOptions, seriesNames, type Stretch } from '../fleet.ts'
import { startGenerator } from '../generator.ts'
import { dueAt, play } from '../play.ts'
import { httpSender } from '../send.ts'

const STEP = 600_000
const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)

const plan = (options: Partial<PlanOptions> = {}, count = 60): PlannedFault[] => {
  const faults = planFaults({
    mode: 'demo',
    ordered: [],
    series: seriesNames(20),
    history: 288,
    interval: STEP,
    windy: true,
    random: createRandom('plan'),
    ...options,
  })
  return Array.from({ length: count }, () => faults.next().value as PlannedFault | undefined).filter((fault) =>
    fault !== undefined
  )
}

t.test('the demonstration begins with a fault at once, and every turbine and every type has its turn', async (t) => {
  const faults = plan()
  t.match(faults[0], { type: 'vibration-burst', from: 293, severity: 1 })
  t.match(plan({ windy: false })[0], { type: 'sensor-bias', from: 293 })
  t.equal(new Set(faults.slice(0, 20).map(({ series }) => series)).size, 20)
  t.strictSame(new Set(faults.slice(1, 8).map(({ type }) => type)), new Set(FAULT_TYPES))
  t.ok(faults.every(({ from, to }, i) => to >= from && from >= (faults[i - 1]?.from ?? 0)))
  for (const series of seriesNames(20)) {
    const own = faults.filter((fault) => fault.series === series)
    t.ok(own.every(({ from }, i) => i === 0 || from > own[i - 1]!.to))
  }
  t.strictSame(plan(), faults, 'the same seed is the same plan')
})

t.test('other modes: rare, or what is ordered alone', async (t) => {
  t.strictSame(plan({ mode: 'none' }), [])
  const ordered = plan({
    mode: 'none',
    ordered: [{ series: 'T03', type: 'bearing-overheating', after: 2 * 3_600_000 }, {
      series: 'T02',
      type: 'icing',
      after: 0,
    }],
  })
  t.match(ordered, [{ series: 'T02', type: 'icing', from: 288 }, {
    series: 'T03',
    type: 'bearing-overheating',
    channel: 'gearbox_bearing_temp_c',
    from: 300,
    to: 479,
    severity: 1,
  }])
  t.equal(ordered.length, 2)
  const mixed = plan({ ordered: [{ series: 'T03', type: 'icing', after: 30 * DAY }] })
  t.ok(mixed.some(({ series, from }) => series === 'T03' && from === 288 + 30 * 144))
  const rare = plan({ mode: 'random' }, 10)
  t.ok(rare[9]!.from > 7 * 144 && rare[9]!.from < 30 * 144)
})

const options: FleetOptions = {
  seed: 'wind-farm-6',
  series: 3,
  days: 4,
  start: START,
  history: 2 * DAY,
  dirt: false,
  mode: 'demo',
  ordered: [],
  pause: async () => {},
}

async function stretches (count: number, changes: Partial<FleetOptions> = {}): Promise<Stretch[]> {
  const made: Stretch[] = []
  for await (const stretch of fleet({ ...options, ...changes })) if (made.push(stretch) === count) break
  return made
}

t.test('stretches follow each other without a gap, and turbines stay what they are', async (t) => {
  const faults: PlannedFault[] = []
  const [first, second] = await stretches(2, { mode: 'none', onFault: (fault) => faults.push(fault) })
  for (const [i, { series, channels, rows }] of first!.entries()) {
    const next = second![i]!
    t.equal(series, next.series)
    t.strictSame(channels, CHANNELS)
    const times = [...rows, ...next.rows].map(({ time }) => time)
    t.ok(times.every((time, n) => time === START + n * STEP))
    const [before, after] = [rows.at(-1)!.values, next.rows[0]!.values]
    for (const channel of ['ambient_temp_c', 'nacelle_temp_c', 'gearbox_oil_temp_c'] as const) {
      const c = CHANNELS.indexOf(channel)
      t.ok(Math.abs(before[c]! - after[c]!) < 6, `${channel} goes on from ${before[c]} to ${after[c]}`)
    }
  }
  t.strictSame(faults, [])
  t.strictSame(await stretches(1, { mode: 'none' }), [first])
  t.notSame((await stretches(1, { mode: 'none', seed: 'another' }))[0]![0]!.rows[0], first![0]!.rows[0])
})

t.test('a fault shows in what is played, at its time', async (t) => {
  const faults: Array<PlannedFault & { start: number, end: number }> = []
  const changes = { series: 2, mode: 'none', ordered: [{ series: 'T02', type: 'vibration-burst', after: 0 }] } as const
  const [[, healthy]] = await stretches(1, { ...changes, ordered: [] }) as [Stretch]
  const [[, faulty]] = await stretches(1, { ...changes, onFault: (fault) => faults.push(fault) }) as [Stretch]
  t.match(faults, [{ series: 'T02', start: START + 2 * DAY, end: START + 2 * DAY + 29 * STEP }])
  const vibration = CHANNELS.indexOf('vibration_mm_s')
  const excess = faulty!.rows.map(({ values }, n) => values[vibration]! - healthy!.rows[n]!.values[vibration]!)
  t.equal(excess.findIndex((more) => Math.abs(more) > 0.01), 288)
  t.ok(Math.max(...excess.slice(288, 318)) > 1)
})

t.test('with dirt there are gaps, repetitions and late ones', async (t) => {
  const [[part]] = await stretches(1, { dirt: true, series: 1 }) as [Stretch]
  const times = part!.rows.map(({ time }) => time)
  t.ok(times.some((time, i) => i > 0 && time < times[i - 1]!))
  t.ok(times.some((time) => time % STEP !== 0))
  t.ok(part!.rows.some(({ values }) => values.some(Number.isNaN)))
})

t.test('more than a farm has are several farms', async (t) => {
  t.strictSame([seriesNames(100)[98], seriesNames(100)[99], seriesNames(1000)[999]], ['T99', 'F02-T01', 'F11-T10'])
  t.equal(new Set(seriesNames(1000)).size, 1000)
})

t.test('an observation is due in its time at the speed, and never before it could be', async (t) => {
  const pace = { start: START, history: DAY, speed: 600 }
  const now = START + 90 * DAY
  t.equal(dueAt(START, pace, now), START, 'history at once')
  t.equal(dueAt(START + DAY + STEP, pace, now), now + 1000)
  t.equal(dueAt(now + STEP, { ...pace, start: now - DAY - STEP }, now), now + STEP, 'not ahead of the clock')
})

interface Played {
  readonly sent: RawObservation[][]
  readonly at: number[]
}

/** Plays on a clock that moves only while one waits. */
async function played (
  stretches: AsyncIterable<Stretch>,
  pace: { start: number, history: number, speed: number },
  from: number,
  until: number
): Promise<Played> {
  let clock = from
  const stopped = new AbortController()
  const result: Played = { sent: [], at: [] }
  await play({
    ...pace,
    stretches,
    signal: stopped.signal,
    now: () => clock,
    wait: async (milliseconds) => {
      clock += milliseconds
      if (clock >= until) stopped.abort()
    },
    send: async (batch) => {
      result.sent.push([...batch])
      result.at.push(clock)
    },
  })
  return result
}

t.test('history comes at once, the rest at its speed, in order, until it has caught up with the clock', async (t) => {
  const from = START + 3 * DAY
  const { sent, at } = await played(
    fleet({ ...options, mode: 'none' }),
    { start: START, history: 2 * DAY, speed: 600 },
    from,
    from + 900_000
  )
  const all = sent.flat()
  const history = sent.filter((_, i) => at[i] === from).flat()
  t.equal(history.length, 3 * (288 + 1))
  for (const name of seriesNames(3)) {
    const times = all.filter(({ series }) => series === name).map(({ time }) => Date.parse(time))
    t.ok(times.every((time, n) => time === START + n * STEP))
  }
  sent.forEach((batch, i) => { if (batch.some(({ time }) => Date.parse(time) > at[i]!)) t.fail('ahead of the clock') })
  const live = all.length / 3 - 289
  t.equal(
    live,
    Math.floor((from + 900_000 - START - 2 * DAY) / STEP),
    'a day within 144 s; then it has caught up, and one comes in ten minutes'
  )
  t.ok(RawObservationSchema.safeParse(all[0]).success)
  t.strictSame(Object.keys(all[0]!.values), CHANNELS)
})

t.test('files are played once, moved by whole days', async (t) => {
  const folder = t.testdir({
    'P1.csv': 'time,a,b\n2020-05-05T10:00:00Z,1,\n2020-05-05T10:10:00Z,2,3\n2020-05-05T10:05:00Z,4,5\n',
    'both.csv': 'series,timestamp,a\nX,2020-05-05T11:00:00Z,1\nY,2020-05-05T11:00:00Z,2\n',
  })
  const { sent } = await played(
    csvFleet(folder, START + STEP),
    { start: START, history: DAY, speed: 600 },
    START + 9 * DAY,
    Infinity
  )
  t.strictSame(sent.flat(), [
    { series: 'P1', time: '2026-01-01T10:00:00.000Z', values: { a: 1, b: null } },
    { series: 'P1', time: '2026-01-01T10:10:00.000Z', values: { a: 2, b: 3 } },
    { series: 'P1', time: '2026-01-01T10:05:00.000Z', values: { a: 4, b: 5 } },
    { series: 'X', time: '2026-01-01T11:00:00.000Z', values: { a: 1 } },
    { series: 'Y', time: '2026-01-01T11:00:00.000Z', values: { a: 2 } },
  ])
  await t.rejects(
    played(csvFleet(`${folder}/nothing`, START), { start: START, history: 0, speed: 1 }, START, Infinity),
    { code: 'invalid-settings', message: /--csv/ }
  )
})

t.test('in one call it plays until the signal, and a send that fails ends it', async (t) => {
  const stopped = new AbortController()
  const sent: RawObservation[] = []
  await startGenerator({
    series: 2,
    now: () => START + 200 * DAY,
    signal: stopped.signal,
    send: async (batch) => {
      sent.push(...batch)
      if (sent.length >= 500) stopped.abort()
    },
  })
  t.equal(sent[0]!.time, new Date(START + 110 * DAY).toISOString(), 'ninety days ago')
  t.ok(sent.length >= 500 && sent.length < 2000)
  await t.rejects(
    startGenerator({
      series: 1,
      now: Date.now,
      signal: new AbortController().signal,
      send: async () => {
        throw new Error('refused')
      },
    }),
    { message: 'refused' }
  )
})

async function collector (
  t: Test,
  answers: ReadonlyArray<(response: ServerResponse) => void>
): Promise<{ url: string, bodies: string[], keys: Array<string | undefined> }> {
  const [bodies, keys]: [string[], Array<string | undefined>] = [[], []]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += String(chunk) })
    request.on('end', () => {
      bodies.push(body)
      keys.push(request.headers.authorization)
      answers[Math.min(bodies.length, answers.length) - 1]!(response)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => { server.close(resolve) })
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies, keys }
}

const observations: RawObservation[] = [{ series: 'T01', time: '2026-01-01T00:00:00Z', values: { a: 1 } }]
const answer = (status: number, headers: Record<string, string> = {}) => (response: ServerResponse): void => {
  response.writeHead(status, headers).end('{}')
}

t.test('what a collector cannot take now is sent again, what it will never take is told', async (t) => {
  const { signal } = new AbortController()
  const reasons: string[] = []
  const busy = await collector(t, [
    answer(503, { 'retry-after': '0' }),
    (response) => {
      response.destroy()
    },
    answer(429),
    answer(202),
  ])
  await httpSender({
    url: busy.url,
    key: 'k',
    signal,
    onRetry: (reason) => {
      reasons.push(reason)
    },
  })(observations)
  t.strictSame(busy.bodies, Array.from({ length: 4 }, () => JSON.stringify(observations)))
  t.strictSame(new Set(busy.keys), new Set(['Bearer k']))
  t.match(reasons, [/answered 503/, /does not answer/, /answered 429/])
  const strict = await collector(t, [answer(422)])
  await t.rejects(httpSender({ url: strict.url, signal })(observations), { message: /answered 422/ })
  t.equal(strict.bodies.length, 1)
})

t.test('after the signal it is tried no more', async (t) => {
  const stopped = new AbortController()
  const away = await collector(t, [answer(503, { 'retry-after': '20' })])
  const sending = httpSender({
    url: away.url,
    signal: stopped.signal,
    onRetry: () => {
      stopped.abort()
    },
  })(observations)
  await t.rejects(sending, { message: /answered 503/ })
  t.equal(away.bodies.length, 1)
})
