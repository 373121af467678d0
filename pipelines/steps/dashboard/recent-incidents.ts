// Incidents and what people said of them, as they came by lately: the database learns of them a little later.
import { LRUCache } from 'lru-cache'
import type { KeptIncident } from '../../database/database.ts'
import type { Annotation, Incident } from '../../messages/messages.ts'

/** Incidents that are remembered. */
const MAX_INCIDENTS = 1000

type Said = Pick<KeptIncident, 'acknowledgedAt' | 'feedback' | 'note'>

const NOTHING_SAID: Said = { acknowledgedAt: null, feedback: null, note: null }

export class RecentIncidents {
  readonly #incidents = new LRUCache<string, Incident>({ max: MAX_INCIDENTS })
  readonly #said = new LRUCache<string, Annotation[]>({ max: MAX_INCIDENTS })

  /** @returns whether it says more than was known: repetitions of earlier states do not */
  take (incident: Incident): boolean {
    const before = this.#incidents.get(incident.id)
    if (before !== undefined && !isNewer(incident, before)) return false
    this.#incidents.set(incident.id, incident)
    return true
  }

  annotate (annotation: Annotation): boolean {
    const said = this.#said.get(annotation.incident) ?? []
    if (said.some(({ at, kind }) => at === annotation.at && kind === annotation.kind)) return false
    // What people say of one incident is little; a program could say more.
    this.#said.set(annotation.incident, [...said, annotation].slice(-10))
    return true
  }

  /** What is known of one: by the database, and since. */
  merged (id: string, kept: KeptIncident | undefined): KeptIncident | undefined {
    const recent = this.#incidents.get(id)
    if (recent === undefined && kept === undefined) return undefined
    const newest = recent === undefined || (kept !== undefined && isNewer(kept, recent))
      ? kept!
      : { ...(kept ?? NOTHING_SAID), ...recent }
    return (this.#said.get(id) ?? []).reduce<KeptIncident>(withAnnotation, { ...NOTHING_SAID, ...newest })
  }

  /** Those that the database does not know of yet. */
  others (known: ReadonlyMap<string, KeptIncident>): Incident[] {
    return [...this.#incidents.values()].filter(({ id }) => !known.has(id))
  }
}

const isNewer = (one: Incident, other: Incident): boolean =>
  one.closed === other.closed
    ? one.end > other.end || (one.end === other.end && one.observations > other.observations)
    : one.closed

function withAnnotation (incident: KeptIncident, { kind, at, note }: Annotation): KeptIncident {
  return {
    ...incident,
    ...(kind === 'acknowledged' ? { acknowledgedAt: at } : { feedback: kind }),
    ...(note !== undefined && { note }),
  }
}
