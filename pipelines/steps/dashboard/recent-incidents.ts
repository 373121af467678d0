// Recent incidents and annotations from the log: the database gets them a little later.
import { LRUCache } from 'lru-cache'
import type { KeptIncident } from '../../database/database.ts'
import type { Annotation, Incident } from '../../messages/messages.ts'

const MAX_INCIDENTS = 1000
/** People annotate an incident a few times; a program could do it more often. */
const MAX_ANNOTATIONS = 10

const NO_FEEDBACK: Pick<KeptIncident, 'acknowledgedAt' | 'feedback' | 'note'> = {
  acknowledgedAt: null,
  feedback: null,
  note: null,
}

export class RecentIncidents {
  readonly #incidents = new LRUCache<string, Incident>({ max: MAX_INCIDENTS })
  readonly #annotations = new LRUCache<string, Annotation[]>({ max: MAX_INCIDENTS })

  /** @returns whether the state is newer than the known one */
  take (incident: Incident): boolean {
    const before = this.#incidents.get(incident.id)
    if (before !== undefined && !isNewer(incident, before)) return false
    this.#incidents.set(incident.id, incident)
    return true
  }

  annotate (annotation: Annotation): boolean {
    const known = this.#annotations.get(annotation.incident) ?? []
    if (known.some(({ at, kind }) => at === annotation.at && kind === annotation.kind)) return false
    this.#annotations.set(annotation.incident, [...known, annotation].slice(-MAX_ANNOTATIONS))
    return true
  }

  /** An incident of the database, with newer states and annotations from the log. */
  merged (id: string, kept: KeptIncident | undefined): KeptIncident | undefined {
    const recent = this.#incidents.get(id)
    if (recent === undefined && kept === undefined) return undefined
    const newest = recent === undefined || (kept !== undefined && isNewer(kept, recent))
      ? kept!
      : { ...(kept ?? NO_FEEDBACK), ...recent }
    return (this.#annotations.get(id) ?? []).reduce<KeptIncident>(withAnnotation, { ...NO_FEEDBACK, ...newest })
  }

  /** Incidents that the database does not have yet. */
  others (known: ReadonlyMap<string, KeptIncident>): Incident[] {
    return [...this.#incidents.values()].filter(({ id }) => !known.has(id))
  }
}

const isNewer = (a: Incident, b: Incident): boolean =>
  a.closed === b.closed ? a.end > b.end || (a.end === b.end && a.observations > b.observations) : a.closed

function withAnnotation (incident: KeptIncident, { kind, at, note }: Annotation): KeptIncident {
  return {
    ...incident,
    ...(kind === 'acknowledged' ? { acknowledgedAt: at } : { feedback: kind }),
    ...(note !== undefined && { note }),
  }
}
