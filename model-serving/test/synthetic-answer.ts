// Synthetic answers for the tests of plots: eleven channels of a turbine with a daily rhythm, noise, gaps and a bearing
// that warms up.
import { createRandom } from '../../core/random.ts'
import type { Answer, Plot } from '../plot/svg.ts'

type Column = Array<number | null>

/** Level, daily swing and noise of each channel. */
const CHANNELS: Readonly<Record<string, readonly [number, number, number]>> = {
  wind_speed_ms: [8, 2.5, 0.7],
  power_kw: [1200, 650, 90],
  rotor_rpm: [13, 2, 0.3],
  generator_rpm: [1400, 210, 25],
  pitch_deg: [4, 3, 0.6],
  ambient_temp_c: [11, 5, 0.3],
  nacelle_temp_c: [24, 4, 0.4],
  gearbox_oil_temp_c: [56, 5, 0.6],
  gearbox_bearing_temp_c: [66, 6, 0.7],
  generator_bearing_temp_c: [61, 6, 0.8],
  vibration_mm_s: [1.8, 0.5, 0.15],
}

const START = Date.parse('2026-01-01T00:00:00Z')
const INTERVAL = 600_000
const WARM_UP = 15
const at = (t: number): string => new Date(START + t * INTERVAL).toISOString()

/** Runs of true in `flags`, with inclusive ends. */
function runs (flags: ReadonlyArray<boolean | null>): Array<[number, number]> {
  const found: Array<[number, number]> = []
  flags.forEach((flag, t) => {
    const last = found.at(-1)
    if (flag !== true) return
    if (last !== undefined && last[1] === t - 1) last[1] = t
    else found.push([t, t])
  })
  return found
}

/** Observed and expected values; two faults at 45 % and 75 % of the time, a gap of missing power at 30 %. */
function columns (length: number): { observed: Record<string, Column>, expected: Record<string, Column> } {
  const observed: Record<string, Column> = {}
  const expected: Record<string, Column> = {}
  for (const [name, [level, swing, noise]] of Object.entries(CHANNELS)) {
    const random = createRandom(`plot/${name}`)
    const fault = (t: number): number => name === 'gearbox_bearing_temp_c' && t > 0.45 * length && t < 0.55 * length
      ? 14 * noise
      : name === 'vibration_mm_s' && t > 0.75 * length && t < 0.78 * length ? 10 * noise : 0
    const truth = Array.from({ length }, (_, t) => level + swing * Math.sin(2 * Math.PI * t / 144 + level))
    expected[name] = truth.map((value, t) => t < WARM_UP ? null : value)
    observed[name] = truth.map((value, t) =>
      name === 'power_kw' && t > 0.3 * length && t < 0.32 * length ? null : value + noise * random.normal() + fault(t)
    )
  }
  return { observed, expected }
}

/** A whole answer over `length` observations of ten minutes. */
export function syntheticAnswer (length = 432): Answer {
  const { observed, expected } = columns(length)
  const names = Object.keys(CHANNELS)
  const shift = (by: number): Record<string, Column> =>
    Object.fromEntries(
      names.map((name) => [
        name,
        expected[name]!.map((value) => value === null ? null : value + by * CHANNELS[name]![2]),
      ])
    )
  const residual = (name: string, t: number): number | null => {
    const [seen, wanted] = [observed[name]![t] ?? null, expected[name]![t] ?? null]
    return seen === null || wanted === null ? null : ((seen - wanted) / CHANNELS[name]![2]) ** 2
  }
  const total = Array.from({ length }, (_, t) => names.reduce((sum, name) => sum + (residual(name, t) ?? NaN), 0))
  const score = total.map((sum) => Number.isNaN(sum) ? null : Math.sqrt(sum / 45))
  const isAnomaly = score.map((value) => value === null ? null : value > 1)
  const contributions = Object.fromEntries(
    names.map((name) => [name, total.map((sum, t) => Number.isNaN(sum) ? null : (residual(name, t) ?? 0) / sum)])
  )
  const anomalies = runs(isAnomaly).map(([from, to]) => {
    const peak = score.reduce<number>(
      (best, value, t) => t >= from && t <= to && (value ?? 0) > (score[best] ?? 0) ? t : best,
      from
    )
    const channels = names.map((name) => ({ name, contribution: contributions[name]![peak] ?? 0 })).sort((a, b) =>
      b.contribution - a.contribution
    )
    return { start: at(from), end: at(to), peak: at(peak), peakScore: score[peak] ?? 0, channels: channels.slice(0, 3) }
  })
  const gaps = (name: string): number[] => observed[name]!.flatMap((value, t) => value === null ? [t] : [])
  const quality = Object.fromEntries(
    names.map((name) => [
      name,
      { missing: gaps(name).length, imputed: gaps(name).slice(0, 3), duplicates: 0, outOfOrder: 0 },
    ])
  )
  return {
    model: { name: 'wind-turbine', version: '1.0.0', digest: 'sha256:0f1e2d3c', architecture: 'dense' },
    scoring: 'batch',
    threshold: 1,
    start: at(0),
    step: 'PT10M',
    score,
    isAnomaly,
    observed,
    expected,
    lower: shift(-3),
    upper: shift(3),
    contributions,
    anomalies: anomalies.map((anomaly) => ({
      ...anomaly,
      kind: 'level',
      message: `${anomaly.channels[0]!.name}: mean 8 over 1 h, expected 5 ± 2`,
    })),
    quality,
  }
}

/** The same plot with other names of channels. */
export function renamed (answer: Answer, rename: (name: string) => string): Answer {
  const record = <T>(values: Readonly<Record<string, T>> = {}): Record<string, T> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]))
  const anomalies = (answer.anomalies ?? []).map((anomaly) => ({
    ...anomaly,
    channels: anomaly.channels.map((channel) => ({ ...channel, name: rename(channel.name) })),
  }))
  const { observed, expected, lower, upper, contributions, quality } = answer
  return {
    ...answer,
    observed: record(observed),
    expected: record(expected),
    lower: record(lower),
    upper: record(upper),
    contributions: record(contributions),
    quality: record(quality),
    anomalies,
  }
}

/** An answer with `columns` as its observed channels and nothing expected of them. */
export function bareAnswer (observed: NonNullable<Answer['observed']>, extra: Partial<Answer> = {}): Plot['answer'] {
  return {
    model: { name: 'bare', version: '1.0.0', digest: 'sha256:00', architecture: 'linear' },
    scoring: 'causal',
    threshold: 1,
    start: at(0),
    step: 'PT10M',
    observed,
    ...extra,
  }
}
