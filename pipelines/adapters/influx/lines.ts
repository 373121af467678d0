// Data of the stream as InfluxDB's line protocol, in a tenth of the time of the client's Point.
//
// Tags and time identify a point, so a repeated write overwrites itself. A string costs the server a tenth of the same
// numbers as fields: the channels of a verdict are one string, and only what dashboards plot is a field.
import type { Batch } from '../../database/database.ts'
import { orderOfState } from '../../database/kept-incident.ts'
import { EscapedNames, toTagName } from '../../database/names.ts'
import { packModel, packVerdict } from '../../database/packed-verdict.ts'
import { millisOf } from '../../database/times.ts'
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../../messages/messages.ts'

/** Field names that InfluxDB reserves, or mistakes for the tag. */
const RESERVED = /^(?:time|series|_(?:time|start|stop|value|field|measurement))$/

const escaped = (name: string): string => toTagName(name).replace(/[,= ]/g, '\\$&')
const unreserved = (name: string): string => `\u241b${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`

const tags = new EscapedNames(escaped)
const channels = new EscapedNames((name) => escaped(RESERVED.test(name) ? unreserved(name) : name))

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

const models = new EscapedNames(quoted)

/** Names as JSON within a quoted string: escaped here, so the whole text needs no search for quotation marks. */
const names = new EscapedNames((name) => quoted(JSON.stringify(name)).slice(1, -1))
const nameOf = (name: string): string => names.of(name)

/** Milliseconds → nanoseconds. The states of an incident use the room between two milliseconds. */
const nanos = (millis: number, rest = 0): string =>
  rest === 0 && millis > 0 ? `${millis}000000` : String(BigInt(millis) * 1_000_000n + BigInt(rest))

function verdictLine (verdict: Verdict): string {
  const { series, time, score, threshold, anomalous, model } = verdict
  const scored = score === null ? '' : `score=${score},`
  const judged = anomalous === null ? '' : `anomalous=${anomalous},`
  return `verdict,series=${tags.of(series)} ${scored}${judged}threshold=${threshold},` +
    `model=${models.of(packModel(model))},detail="${packVerdict(verdict, nameOf)}" ${nanos(millisOf(time))}`
}

/** Undefined if all values are missing: InfluxDB has no points without fields. */
function observationLine ({ series, time, values }: RawObservation): string | undefined {
  let fields = ''
  for (const channel of Object.keys(values)) {
    const value = values[channel]
    if (value !== null) fields += `${fields === '' ? '' : ','}${channels.of(channel)}=${value}`
  }
  return fields === '' ? undefined : `observation,series=${tags.of(series)} ${fields} ${nanos(millisOf(time))}`
}

/** A gap is a point at its end, by which queries select. */
function gapLine ({ series, from, to, interval }: Gap): string {
  return `gap,series=${tags.of(series)} from=${millisOf(from)}i,interval=${interval}i ${nanos(millisOf(to))}`
}

/**
 * Each state is a point. The time is its end plus its order among the states, so the last point is the newest state,
 * whatever the order of writing.
 */
function incidentLine (incident: Incident): string {
  const { id, series, start, severity, peak, observations, closed, channels: ranked } = incident
  const fields = `start=${millisOf(start)}i,severity=${quoted(severity)},peak=${peak.score},` +
    `observations=${observations}i,closed=${closed},channel=${quoted(ranked[0]?.channel ?? '')},` +
    `state=${quoted(JSON.stringify(incident))}`
  const time = nanos(millisOf(incident.end), orderOfState(incident, 999_999))
  return `incident,id=${tags.of(id)},series=${tags.of(series)} ${fields} ${time}`
}

function annotationLine (annotation: Annotation): string {
  const { incident, series, at, kind } = annotation
  const data = quoted(JSON.stringify(annotation))
  return `annotation,incident=${tags.of(incident)},kind=${kind},series=${tags.of(series)} data=${data} ` +
    nanos(millisOf(at))
}

export function linesOf ({ verdicts, gaps, incidents, annotations }: Batch): string[] {
  return [
    ...verdicts.map(verdictLine),
    ...gaps.map(gapLine),
    ...incidents.map(incidentLine),
    ...annotations.map(annotationLine),
  ]
}

export function rawLinesOf ({ observations }: Batch): string[] {
  return observations.map(observationLine).filter((line) => line !== undefined)
}
