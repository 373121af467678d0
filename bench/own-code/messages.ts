// What every message pays: `quick-checks.ts`.
import { deepStrictEqual } from 'node:assert'
import { MESSAGES, type MessageType } from '../../pipelines/messages/messages.ts'
import { QUICK_CHECKS } from '../../pipelines/messages/quick-checks.ts'
import { compare } from './compare.ts'

const START = Date.UTC(2026, 0, 1)
const STEP = 600_000

const instantAt = (t: number): string => new Date(START + t * STEP).toISOString()
const CHANNELS = Array.from({ length: 12 }, (_, c) => `channel_${c + 1}`)
const valuesAt = (t: number): Record<string, number> =>
  Object.fromEntries(CHANNELS.map((name, c) => [name, Math.sin(t + c)]))

/** One of each kind, and records of runs. */
function contents (): ReadonlyArray<readonly [string, MessageType, unknown, number]> {
  const raw = { series: 'turbine-03', time: instantAt(0), values: valuesAt(0) }
  const regular = (t: number): object => ({ time: instantAt(t), values: valuesAt(t), imputed: [] })
  const contributions = Object.keys(raw.values).map((channel) => ({ channel, contribution: 1 / 12 }))
  const verdict = (t: number): object => ({
    time: instantAt(t),
    score: 0.5,
    anomalous: false,
    contributions,
    values: valuesAt(t),
    expected: valuesAt(t),
    imputed: [],
  })
  const rows = <T>(count: number, row: (t: number) => T): T[] => Array.from({ length: count }, (_, t) => row(t))
  const { series } = raw
  const grid = { series, interval: STEP }
  const model = { series, model: { name: 'wind-turbine', version: '1', digest: 'sha256:0f1e2d3c' }, threshold: 1 }
  return [
    ['a raw observation of 12 channels', 'observation.raw.v1', raw, 500],
    ['a record of 1 regular observation', 'observation.regular.v1', { ...grid, observations: rows(1, regular) }, 500],
    ['a record of 100 regular ones', 'observation.regular.v1', { ...grid, observations: rows(100, regular) }, 10],
    ['a record of 1 verdict', 'verdict.v1', { ...model, verdicts: rows(1, verdict) }, 500],
    ['a record of 100 verdicts', 'verdict.v1', { ...model, verdicts: rows(100, verdict) }, 10],
  ]
}

export async function checks (): Promise<void> {
  for (const [title, type, content, times] of contents()) {
    const quick = QUICK_CHECKS[type]!
    const schema = MESSAGES[type].record
    for (const check of [quick, (value: unknown) => schema.safeParse(value).success]) {
      deepStrictEqual([check(content), check({ ...content as object, series: 1 })], [true, false])
    }
    const text = JSON.stringify(content)
    const variants = {
      'quick-checks.ts (ajv)': () => quick(content),
      zod: () => schema.safeParse(content),
      'JSON.parse of it': () => JSON.parse(text) as unknown,
    }
    await compare({ title: `check of ${title}`, times, variants })
  }
}
