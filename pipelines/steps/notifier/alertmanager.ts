// An incident → alerts of Alertmanager's API v2.
import { type Incident, SEVERITIES } from '../../messages/messages.ts'
import type { Request } from './destination.ts'

export interface Alert {
  /** Equal labels are the same alert. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
}

/** An open incident fires until it closes, at most so long after its last message. */
const FIRES_MS = 86_400_000
/** Number of channels that an alert names. */
const NAMED = 3

export function alertmanagerRequest (
  base: string,
  incident: Incident,
  dashboard: string | undefined,
  at: number
): Request {
  return {
    url: `${base}/api/v2/alerts`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alertsOf(incident, dashboard, at)),
  }
}

/** The alert of its severity. Alerts of other severities end: an incident that gets worse stays one alert. */
export function alertsOf (incident: Incident, dashboard: string | undefined, at: number): Alert[] {
  const own = alertOf(
    incident,
    incident.severity,
    dashboard,
    incident.closed ? incident.end : new Date(at + FIRES_MS).toISOString()
  )
  const others = SEVERITIES.filter((severity) => severity !== incident.severity)
  return [own, ...others.map((severity) => alertOf(incident, severity, dashboard, incident.end))]
}

function alertOf (incident: Incident, severity: string, dashboard: string | undefined, endsAt: string): Alert {
  const { id, series, model, start, peak, channels, observations, kind, message } = incident
  const named = channels.slice(0, NAMED).map(({ channel, contribution }) =>
    `${channel} (${Math.round(100 * contribution)} %)`
  ).join(', ')
  return {
    labels: { alertname: 'SeriesAnomaly', series, severity, model: model.name },
    annotations: {
      summary: message === undefined ? `${series} behaves unusually: ${named}` : `${series}: ${message}`,
      description: `${observations} anomalous observations since ${start}, mainly of ${named}; ` +
        `the highest score is ${peak.score.toFixed(2)} at ${peak.time}, ` +
        `where 1 is the threshold of ${model.name} ${model.version}.`,
      incident: id,
      ...(kind !== undefined && { kind }),
    },
    startsAt: start,
    endsAt,
    ...(dashboard !== undefined &&
      { generatorURL: `${dashboard}/?${new URLSearchParams({ series, incident: id }).toString()}` }),
  }
}
