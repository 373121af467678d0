// A database in memory and a small artificial fleet for the tests of the dashboard: oscillating channels, and a fault
// on request.
import type { Database, KeptIncident } from '../../../database/database.ts'
import type { Gap, Incident, Message, Verdict } from '../../../messages/messages.ts'

export const STEP_MS = 600_000
export const START = Date.UTC(2026, 0, 1)
export const CHANNELS = [
  'wind_speed_ms',
  'power_kw',
  'rotor_speed_rpm',
  'generator_speed_rpm',
  'pitch_angle_deg',
  'nacelle_direction_deg',
  'gearbox_oil_temp_c',
  'gearbox_bearing_temp_c',
  'generator_temp_c',
  'hydraulic_pressure_bar',
  'ambient_temp_c',
  'tower_vibration_ms2',
] as const
const MODEL = { name: 'wind-turbine', version: '3', digest: `sha256:${'0'.repeat(64)}` }

export const timeAt = (step: number): string => new Date(START + step * STEP_MS).toISOString()

/** Reproducible noise from -1 to 1. */
const noise = (seed: number): number => {
  const x = Math.sin(seed * 12.9898) * 43_758.5453
  return 2 * (x - Math.floor(x)) - 1
}

/** @param fault how much the gearbox is too hot, 0 to 1 */
export function verdictAt (series: string, step: number, fault = 0): Verdict {
  const own = [...series].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  const values: Record<string, number> = {}
  const expected: Record<string, number> = {}
  const parts = CHANNELS.map((channel, c) => {
    const base = 20 * (c + 1) * (1.6 + Math.sin(step / 40 + own) + 0.3 * Math.sin(step / 7 + c))
    const off = noise(step * 31 + c * 7 + own) * 0.03 +
      (channel.startsWith('gearbox') ? fault * (channel === 'gearbox_bearing_temp_c' ? 0.8 : 0.25) : 0)
    expected[channel] = base
    values[channel] = base * (1 + off)
    return off ** 2 + 0.0003
  })
  const sum = parts.reduce((total, one) => total + one, 0)
  const score = Math.min(9, 0.35 + 0.15 * Math.sin(step / 9 + own) + 0.12 * noise(step + own) + 3.2 * fault)
  const isWarm = step >= 6
  const contributions = CHANNELS.map((channel, c) => ({ channel, contribution: parts[c]! / sum })).sort((a, b) =>
    b.contribution - a.contribution
  ).slice(0, 5)
  const imputed = step % 37 === 5 ? ['wind_speed_ms'] : []
  return {
    series,
    time: timeAt(step),
    model: MODEL,
    score: isWarm ? score : null,
    anomalous: isWarm ? score > 1 : null,
    threshold: 1,
    contributions: isWarm ? contributions : null,
    values,
    expected: isWarm ? expected : null,
    imputed,
  }
}

export function incidentAt (series: string, start: number, end: number, more: Partial<Incident> = {}): Incident {
  return {
    id: `${series}/${timeAt(start)}`,
    series,
    model: MODEL,
    start: timeAt(start),
    end: timeAt(end),
    closed: false,
    peak: { time: timeAt(end), score: 2.4 },
    severity: 'critical',
    channels: [{ channel: 'gearbox_bearing_temp_c', contribution: 0.71 }, {
      channel: 'gearbox_oil_temp_c',
      contribution: 0.18,
    }],
    observations: end - start + 1,
    kind: 'level',
    message: 'gearbox_bearing_temp_c: mean 88.2 over 2 h, expected 71.5 ± 3.1',
    ...more,
  }
}

export const kept = (incident: Incident): KeptIncident => ({
  acknowledgedAt: null,
  feedback: null,
  note: null,
  ...incident,
})

/** As a database, without one. */
export class MemoryDatabase implements Database {
  readonly location = 'memory'
  readonly all = new Map<string, Verdict[]>()
  readonly missing: Gap[] = []
  readonly found = new Map<string, KeptIncident>()

  add (...verdicts: Verdict[]): void {
    for (const verdict of verdicts) this.all.set(verdict.series, [...this.all.get(verdict.series) ?? [], verdict])
  }

  async write (): Promise<void> {}
  async close (): Promise<void> {}

  async fleet (): Promise<Verdict[]> {
    return [...this.all.values()].map((verdicts) => verdicts.at(-1)!)
  }

  async verdicts (series: string, { from, to }: { from: number, to: number }, limit: number): Promise<Verdict[]> {
    return (this.all.get(series) ?? []).filter(({ time }) => Date.parse(time) >= from && Date.parse(time) <= to).slice(
      -limit
    )
  }

  async gaps (series: string): Promise<Gap[]> {
    return this.missing.filter((gap) => gap.series === series)
  }

  async incidents (_: unknown, limit: number, series?: string): Promise<KeptIncident[]> {
    return [...this.found.values()].filter((one) => series === undefined || one.series === series).slice(0, limit)
  }

  async incident (id: string): Promise<KeptIncident | undefined> {
    return this.found.get(id)
  }
}

let count = 0
const common = () => ({ id: `message-${count++}`, receivedAt: Date.now() })

export const verdictMessage = (data: Verdict): Message => ({ type: 'verdict.v1', data, ...common() })
export const gapMessage = (data: Gap): Message => ({ type: 'gap.v1', data, ...common() })
export const incidentMessage = (data: Incident, type: 'opened' | 'updated' | 'closed' = 'opened'): Message => ({
  type: `incident.${type}.v1`,
  data,
  ...common(),
})
