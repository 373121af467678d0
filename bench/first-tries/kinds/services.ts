// First tries from web services and shops: counts, latencies, scheduled jobs.
import { type Random } from '../../../core/random.ts'
import {
  bell, count, DAY, type Drawing, HOUR, type Kind, type Label, label, late, lateDay, MINUTE, NEVER, real, rowsOf,
  wandering, whole, within,
} from './draw.ts'

/** Payments in five minutes: a rush at noon and one in the evening; in the rows of `changed` this factor of them. */
function payments (random: Random, days: number, changed: Label = NEVER, factor = 1): Drawing {
  const usual = (hour: number): number => 12 + 45 * bell(hour - 12.5, 2.5) + 80 * bell(hour - 19, 2.5)
  const values = rowsOf(days * 288, (t) => count(random, (within(changed, t) ? factor : 1) * usual(t % 288 / 12)))
  return { interval: 5 * MINUTE, columns: { payments: values }, labels: changed === NEVER ? [] : [changed] }
}

const healthyPayments: Kind = (random) => payments(random, whole(random, 8, 12))

const paymentsCampaign: Kind = (random) => {
  const days = whole(random, 8, 12)
  const from = lateDay(random, days) * 288 + whole(random, 9 * 12, 20 * 12)
  return payments(random, days, label(from, whole(random, 9, 24), 'payments'), 2.3)
}

const paymentsOutage: Kind = (random) => {
  const days = whole(random, 8, 12)
  const from = lateDay(random, days) * 288 + whole(random, 10 * 12, 21 * 12)
  return payments(random, days, label(from, whole(random, 4, 10), 'payments'), 0.08)
}

/** Processor load with a job at each full hour, but not at row `missed`. */
function hourlyJob (random: Random, days: number, missed: number): Drawing {
  const idle = wandering(random, days * 288, 0.9)
  const values = idle.map((drift, t) => {
    const job = t % 12 === 0 && t !== missed ? 45 + 3 * random.normal() : 0
    return 14 + 2.5 * drift + random.normal() + job
  })
  const labels = missed < 0 ? [] : [label(missed, 1, 'cpu_percent')]
  return { interval: 5 * MINUTE, columns: { cpu_percent: values }, labels }
}

const healthyJob: Kind = (random) => hourlyJob(random, whole(random, 3, 7), -1)

const missedJob: Kind = (random) => {
  const days = whole(random, 3, 7)
  return hourlyJob(random, days, 12 * late(random, days * 24, 1))
}

/** Milliseconds with a heavy tail; during `slow` everything takes 3.5 times as long. */
function latency (random: Random, length: number, slow: Label = NEVER): Drawing {
  const values = rowsOf(length, (t) => {
    const tail = random.uniform() < 0.03 ? real(random, 2, 6) : 1
    return 120 * Math.exp(0.35 * random.normal()) * tail * (within(slow, t) ? 3.5 : 1)
  })
  return { interval: MINUTE, columns: { latency_ms: values }, labels: slow === NEVER ? [] : [slow] }
}

const healthyLatency: Kind = (random) => latency(random, whole(random, 1500, 2800))

const slowQuarterOfAnHour: Kind = (random) => {
  const length = whole(random, 1500, 2800)
  const slow = whole(random, 12, 18)
  return latency(random, length, label(late(random, length, slow), slow, 'latency_ms'))
}

/** Errors a minute, mostly none; a dozen a minute during `burst`. */
function errors (random: Random, length: number, burst: Label = NEVER): Drawing {
  const values = rowsOf(length, (t) => within(burst, t) ? 2 + count(random, 6) : count(random, 0.15))
  return { interval: MINUTE, columns: { errors: values }, labels: burst === NEVER ? [] : [burst] }
}

const healthyErrors: Kind = (random) => errors(random, whole(random, 1500, 3000))

const errorBurst: Kind = (random) => {
  const length = whole(random, 1500, 3000)
  const rows = whole(random, 6, 15)
  return errors(random, length, label(late(random, length, rows), rows, 'errors'))
}

const MOST_VISITS = 1000
const visitsOf = (hour: number): number => 0.05 + 0.5 * bell(hour - 11, 2.5) + 0.9 * bell(hour - 19.5, 3)

/** Visits an hour, by day and week. `asDay` tells which day of the week (0 = Monday) a day looks like. */
function visits (random: Random, days: number, asDay: (day: number) => number = (day) => day % 7): number[] {
  return rowsOf(days * 24, (t) => {
    const weekend = asDay(Math.floor(t / 24)) > 4 ? 0.4 : 1
    return MOST_VISITS * weekend * visitsOf(t % 24) * (1 + 0.05 * random.normal())
  })
}

const twoSpikesInVisits: Kind = (random) => {
  const days = 7 * whole(random, 8, 10)
  const values = visits(random, days)
  const first = whole(random, Math.ceil(0.55 * days * 24), Math.floor(0.7 * days * 24))
  const second = whole(random, Math.ceil(0.75 * days * 24), Math.floor(0.95 * days * 24))
  for (const t of [first, second]) values[t]! += real(random, 0.9, 1.3) * MOST_VISITS
  const labels = [first, second].map((t) => label(t, 1, 'visits'))
  return { interval: HOUR, columns: { visits: values }, labels }
}

/** A Tuesday, Wednesday or Thursday that looks like a Sunday; labelled while the hours of a weekday are busy. */
const holiday: Kind = (random) => {
  const weeks = whole(random, 8, 10)
  const day = 7 * whole(random, Math.ceil(0.55 * weeks), weeks - 2) + whole(random, 1, 3)
  const values = visits(random, 7 * weeks, (d) => d === day ? 6 : d % 7)
  const busy = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => visitsOf(hour) > 0.25)
  return { interval: HOUR, columns: { visits: values }, labels: [label(day * 24 + busy[0]!, busy.length, 'visits')] }
}

/** Memory that rises with a release and stays there to the end. */
const newLevel: Kind = (random) => {
  const length = whole(random, 1000, 2000)
  const from = Math.floor(real(random, 0.85, 0.92) * length)
  const usual = wandering(random, length, 0.8).map((drift) => 40 + drift + 0.5 * random.normal())
  const values = usual.map((value, t) => t < from ? value : value + 11)
  const labels = [label(from, length - from, 'memory_percent')]
  return { interval: 5 * MINUTE, columns: { memory_percent: values }, labels }
}

/** Daily sign-ups that grow, fewer at weekends, with a working day on which the count was lost. */
const lostDay: Kind = (random) => {
  const weeks = whole(random, 18, 28)
  const lost = 7 * whole(random, Math.ceil(0.55 * weeks), weeks - 2) + whole(random, 0, 4)
  const values = rowsOf(7 * weeks, (t) => {
    const usual = 100 * Math.exp(0.006 * t) * (t % 7 > 4 ? 0.6 : 1) * (1 + 0.05 * random.normal())
    return t === lost ? 0.12 * usual : usual
  })
  return { interval: DAY, columns: { sign_ups: values }, labels: [label(lost, 1, 'sign_ups')] }
}

export const SERVICES: Readonly<Record<string, Kind>> = {
  'payments-campaign': paymentsCampaign,
  'payments-outage': paymentsOutage,
  'cpu-missed-cron': missedJob,
  'latency-slow-quarter': slowQuarterOfAnHour,
  'errors-burst': errorBurst,
  'visits-two-spikes': twoSpikesInVisits,
  'visits-holiday': holiday,
  'memory-new-level': newLevel,
  'sign-ups-lost-day': lostDay,
  'healthy-payments': healthyPayments,
  'healthy-cron': healthyJob,
  'healthy-latency': healthyLatency,
  'healthy-errors': healthyErrors,
}
