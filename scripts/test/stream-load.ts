// What tests and measurements of the stream share: fleets to be posted, whoever posts them until they are taken, and
// what /compute says of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { createRandom } from '../../core/random.ts'
import { timeOf } from '../../core/series/series.ts'
import type { Series } from '../../core/series/series.ts'
import type { RawObservation } from '../../pipelines/messages/messages.ts'

/** Some values missing; some observations as a whole, now and then more of them than are filled. */
export function withGaps (series: Series, seed: string): Series {
  const random = createRandom(seed)
  const channels = series.channels.length
  const values = series.values.map((value) => random.uniform() < 0.01 ? NaN : value)
  for (let t = 20; t < series.length - 1; t++) {
    if (random.uniform() > 0.01) continue
    const missing = 1 + random.integer(7)
    values.fill(NaN, t * channels, Math.min(t + missing, series.length - 1) * channels)
    t += missing
  }
  return { ...series, values }
}

/** Undefined where nothing was observed. */
export function observationOf (name: string, series: Series, t: number): RawObservation | undefined {
  const { channels, values } = series
  const found: Record<string, number | null> = {}
  let any = false
  for (const [c, channel] of channels.entries()) {
    const value = values[t * channels.length + c]!
    found[channel] = Number.isNaN(value) ? null : value
    any ||= !Number.isNaN(value)
  }
  return any ? { series: name, time: new Date(timeOf(series, t)).toISOString(), values: found } : undefined
}

const agent = new Agent({ headersTimeout: 30_000, bodyTimeout: 30_000 })

/** Posts until it is acknowledged, as a client should. @returns how often it had to be sent */
export async function post (
  collector: string,
  observations: readonly RawObservation[],
  deadlineMs = 120_000
): Promise<number> {
  const body = JSON.stringify(observations)
  for (let attempt = 1, end = Date.now() + deadlineMs; ; attempt++) {
    const status = await request(`${collector}/observations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      dispatcher: agent,
    })
      .then(async ({ statusCode, body: answer }) => {
        const text = await answer.text()
        if (statusCode >= 400 && statusCode < 500 && statusCode !== 429) {
          throw new Error(`refused with ${statusCode}: ${text}`)
        }
        return statusCode
      }, () => 0)
    if (status === 202) return attempt
    if (Date.now() > end) throw new Error(`not taken within ${deadlineMs} ms; the last answer was ${status}`)
    await sleep(100)
  }
}

export interface CausalAnswer {
  readonly score: ReadonlyArray<number | null>
  readonly isAnomaly: ReadonlyArray<boolean | null>
  readonly expected: Readonly<Record<string, ReadonlyArray<number | null>>>
  readonly contributions: Readonly<Record<string, ReadonlyArray<number | null>>>
}

/** What POST /compute says of the series by causal scoring. */
export async function computeCausal (service: string, series: Series, model: string): Promise<CausalAnswer> {
  const { channels, values, start, interval, length } = series
  const column = (c: number): Array<number | null> =>
    Array.from({ length }, (_, t) => values[t * channels.length + c]!).map((value) =>
      Number.isNaN(value) ? null : value
    )
  const body = {
    model,
    start: new Date(start).toISOString(),
    step: `PT${interval / 1000}S`,
    channels: Object.fromEntries(channels.map((name, c) => [name, column(c)])),
    options: { scoring: 'causal', include: ['score', 'isAnomaly', 'expected', 'contributions'] },
  }
  const response = await fetch(`${service}/compute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  })
  if (response.status !== 200) {
    throw new Error(`/compute answered ${response.status}: ${(await response.text()).slice(0, 500)}`)
  }
  return await response.json() as CausalAnswer
}
