// The messages of the scorer: verdicts and incidents.
import type { Verdict } from '../../../core/scoring/detection.ts'
import type { Explainer } from '../../../core/verdicts/explanation.ts'
import type { Kind } from '../../../core/verdicts/kinds.ts'
import {
  type Arrival,
  arrivalOf,
  type Incident,
  type MessageOf,
  type RegularObservation,
} from '../../messages/messages.ts'
import { type IncidentChange, topOf } from './incidents.ts'

type ModelReference = Incident['model']

export const modelOf = ({ name, version, digest }: ModelReference): ModelReference => ({ name, version, digest })

/** Score 1 is the threshold of every model. */
const THRESHOLD = 1

interface VerdictSource extends Arrival {
  readonly data: RegularObservation
}

/** A verdict with the detector's numbers, not rounded, and the channels that contribute most. */
export function verdictMessage (
  source: VerdictSource,
  verdict: Verdict & { readonly kind: Kind | undefined },
  version: ModelReference & { readonly manifest: { readonly detector: { readonly channels: readonly string[] } } },
  topChannels: number
): MessageOf<'verdict.v1'> {
  const { channels } = version.manifest.detector
  const { data } = source
  const { series, time, values } = data
  const { score, anomalous, contributions } = verdict
  return {
    type: 'verdict.v1',
    id: `${series}/${time}/${version.digest}`,
    ...arrivalOf(source),
    data: {
      series,
      time,
      model: modelOf(version),
      score,
      anomalous,
      threshold: THRESHOLD,
      contributions: contributions === null ? null : topShares(channels, contributions, topChannels),
      values,
      expected: verdict.expected === null ? null : recordOf(channels, verdict.expected),
      imputed: imputedOf(channels, verdict.imputed, data.imputed),
      ...(verdict.kind !== undefined && { kind: verdict.kind }),
    },
  }
}

interface IncidentContext {
  readonly series: string
  readonly model: ModelReference
  readonly channels: readonly string[]
  /** Peak score from which the incident is critical. */
  readonly critical: number
  readonly topChannels: number
  readonly arrival: Arrival
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Of the model; undefined if it is not at hand any more. */
  readonly explainer: Explainer | undefined
}

const timeText = (time: number): string => new Date(time).toISOString()

export function incidentMessage (
  { type, tally }: IncidentChange,
  { series, model, channels, critical, topChannels, arrival, interval, explainer }: IncidentContext
): MessageOf<'incident.opened.v1' | 'incident.updated.v1' | 'incident.closed.v1'> {
  const [start, end, peak] = [timeText(tally.start), timeText(tally.end), timeText(tally.peak.time)]
  const id = `${series}@${start}`
  return {
    type: `incident.${type}.v1`,
    id: `${id}/${type}/${end}`,
    ...arrival,
    data: {
      id,
      series,
      model,
      start,
      end,
      closed: type === 'closed',
      peak: { time: peak, score: tally.peak.score },
      severity: tally.peak.score >= critical ? 'critical' : 'warning',
      channels: topShares(channels, tally.shares.map((share) => share / tally.total), topChannels),
      observations: tally.observations,
      ...explainer?.explain(tally.account, topOf(tally.shares), (tally.end - tally.start) / interval + 1),
    },
  }
}

/** Channels by their share, highest first; equal shares in the model's order. */
function topShares (
  channels: readonly string[],
  shares: ArrayLike<number>,
  count: number
): Array<{ channel: string, contribution: number }> {
  const ranked = channels.map((channel, c) => ({ channel, contribution: shares[c]! }))
  return ranked.sort((a, b) => b.contribution - a.contribution).slice(0, count)
}

function recordOf (channels: readonly string[], values: Float64Array): Record<string, number> {
  const record: Record<string, number> = {}
  for (let c = 0; c < channels.length; c++) record[channels[c]!] = values[c]!
  return record
}

/** The channels that came filled, then those that the detector has filled itself. */
function imputedOf (channels: readonly string[], flags: Uint8Array, given: readonly string[]): string[] {
  const filledHere = channels.filter((name, c) => flags[c] === 1 && !given.includes(name))
  return filledHere.length === 0 ? [...given] : [...given, ...filledHere]
}
