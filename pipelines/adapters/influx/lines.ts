// Things to be kept as InfluxDB's line protocol, made cheaply: a tenth of the time that the client's Point takes.
//
// A point is known by its tags and its time alone, so that what comes again overwrites itself. A string costs the
// server a tenth of what the same numbers cost as fields; so what a verdict says of each channel is one string, and
// only what dashboards plot is a field.
import type { Batch } from '../../database/database.ts'
import { orderOfState } from '../../database/kept-incident.ts'
import { EscapedNames, toTagName } from '../../database/names.ts'
import { packModel, packVerdict } from '../../database/packed-verdict.ts'
import { millisOf } from '../../database/times.ts'
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../../messages/messages.ts'

/** Which fields InfluxDB keeps for itself, or takes for the tag. */
const RESERVED = /^(?:time|series|_(?:time|start|stop|value|field|measurement))$/

const escaped = (name: string): string => toTagName(name).replace(/[,= ]/g, '\\$&')
const unlike = (name: string): string => `\u241b${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`

const tags = new EscapedNames(escaped)
const channels = new EscapedNames((name) => escaped(RESERVED.test(name) ? unlike(name) : name))

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

const models = new EscapedNames(quoted)

/** As JSON within a string: so the whole needs no search for quotation marks. */
const names = new EscapedNames((name) => quoted(JSON.stringify(name)).slice(1, -1))
const nameOf = (name: string): string => names.of(name)

/** Milliseconds → nanoseconds, which leave room between two milliseconds for the states of an incident. */
const nanos = (millis: number, rest = 0): string =>
  rest === 0 && millis > 0 ? `${millis}000000` : String(BigInt(millis) * 1_000_000n + BigInt(rest))

function verdictLine (verdict: Verdict): string {
  const { series, time, score, threshold, anomalous, model } = verdict
  const fields = `${score === null ? '' : `score=${score},`}${
    anomalous === null ? '' : `anomalous=${anomalous},`
  }threshold=${threshold}`
  return `verdict,series=${tags.of(series)} ${fields},model=${models.of(packModel(model))},detail="${
    packVerdict(verdict, nameOf)
  }" ${nanos(millisOf(time))}`
}

/** Nothing where all is missing: InfluxDB has no point without a field. */
function observationLine ({ series, time, values }: RawObservation): string | undefined {
  let fields = ''
  for (const channel of Object.keys(values)) {
    const value = values[channel]
    if (value !== null) fields += `${fields === '' ? '' : ','}${channels.of(channel)}=${value}`
  }
  return fields === '' ? undefined : `observation,series=${tags.of(series)} ${fields} ${nanos(millisOf(time))}`
}

/** At its end, which is what periods are compared with. */
function gapLine ({ series, from, to, interval }: Gap): string {
  return `gap,series=${tags.of(series)} from=${millisOf(from)}i,interval=${interval}i ${nanos(millisOf(to))}`
}

/**
 * Each state is a point, at the end that it has and in the order of states: the last one is the newest, whenever it was
 * written.
 */
function incidentLine (incident: Incident): string {
  const { id, series, start, severity, peak, observations, closed, channels: ranked } = incident
  const fields = `start=${millisOf(start)}i,severity=${
    quoted(severity)
  },peak=${peak.score},observations=${observations}i,closed=${closed},channel=${quoted(ranked[0]?.channel ?? '')}`
  return `incident,id=${tags.of(id)},series=${tags.of(series)} ${fields},state=${quoted(JSON.stringify(incident))} ${
    nanos(millisOf(incident.end), orderOfState(incident, 999_999))
  }`
}

function annotationLine (annotation: Annotation): string {
  const { incident, series, at, kind } = annotation
  return `annotation,incident=${tags.of(incident)},kind=${kind},series=${tags.of(series)} data=${
    quoted(JSON.stringify(annotation))
  } ${nanos(millisOf(at))}`
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
