// An incident with people's feedback, and the order of its states: the newest one counts, in whatever order they are
// written.
import type { Annotation, Incident } from '../messages/messages.ts'
import type { KeptIncident } from './database.ts'
import { millisOf } from './times.ts'

/**
 * The states of an incident are ordered by their ends. This number orders states with the same end.
 * @returns a whole number from 0 to `most`
 */
export function orderOfState ({ observations, closed }: Incident, most: number): number {
  return 2 * Math.min(observations, Math.floor((most - 1) / 2)) + (closed ? 1 : 0)
}

/** The first acknowledgement counts, and the last feedback and note. */
export function keptIncident (incident: Incident, annotations: readonly Annotation[]): KeptIncident {
  const inOrder = annotations.filter((annotation) => annotation.incident === incident.id).sort((a, b) =>
    millisOf(a.at) - millisOf(b.at)
  )
  const feedback = inOrder.findLast(({ kind }) => kind !== 'acknowledged')?.kind as KeptIncident['feedback'] | undefined
  return {
    ...incident,
    acknowledgedAt: inOrder.find(({ kind }) => kind === 'acknowledged')?.at ?? null,
    feedback: feedback ?? null,
    note: inOrder.findLast(({ note }) => note !== undefined)?.note ?? null,
  }
}
