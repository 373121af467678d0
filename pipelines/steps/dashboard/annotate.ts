// What a person says of an incident: onto the log, and as feedback to where models are retrained.
import { addFeedback } from '../../../adapters/registry/feedback.ts'
import type { RegistryStore } from '../../../adapters/registry/store.ts'
import { encode } from '../../messages/cloud-events.ts'
import type { KeptIncident } from '../../database/database.ts'
import type { Log } from '../../messages/log.ts'
import { type Annotation, arrivalOf } from '../../messages/messages.ts'

/** `trace`: what it is part of, where somebody records that. */
export type Annotate = (annotation: Annotation, incident: KeptIncident, trace?: string | undefined) => Promise<void>

interface AnnotateOptions {
  readonly log: Pick<Log, 'append'>
  /** Where feedback is kept; none: nothing is retrained here. */
  readonly store?: RegistryStore | undefined
}

/**
 * Fulfilled once the log has it; `false-alarm` and `confirmed` once the registry has it, too.
 * The log comes first: the same once more changes nothing there, whereas feedback would be there twice.
 */
export function annotateInto ({ log, store }: AnnotateOptions): Annotate {
  return async (annotation, incident, trace) => {
    const receivedAt = Date.parse(annotation.at)
    await log.append([
      encode({
        type: 'incident.annotated.v1',
        id: `${annotation.incident}/${annotation.kind}/${annotation.at}`,
        ...arrivalOf({ receivedAt, trace }),
        data: annotation,
      }, '/dashboard'),
    ])
    if (store === undefined || annotation.kind === 'acknowledged') return
    const { model, series, start, end } = incident
    await addFeedback(store, {
      model: model.name,
      start,
      end,
      label: annotation.kind,
      series,
      ...(annotation.note !== undefined && { note: annotation.note }),
    }, { version: model.version, now: receivedAt })
  }
}
