// Sends a person's feedback on an incident to the log, and to the registry for retraining.
import { addFeedback } from '../../../adapters/registry/feedback.ts'
import type { RegistryStore } from '../../../adapters/registry/store.ts'
import { encode } from '../../messages/cloud-events.ts'
import type { KeptIncident } from '../../database/database.ts'
import type { Log } from '../../messages/log.ts'
import { type Annotation, arrivalOf } from '../../messages/messages.ts'

/** @param trace of the request, if one is recorded */
export type Annotate = (annotation: Annotation, incident: KeptIncident, trace?: string | undefined) => Promise<void>

interface AnnotateOptions {
  readonly log: Pick<Log, 'append'>
  /** The registry that stores feedback. Default: none, without retraining. */
  readonly store?: RegistryStore | undefined
}

/**
 * Resolves once the log has stored the annotation; for `false-alarm` and `confirmed`, once the registry has, too. The
 * log comes first: a repetition changes nothing there, but would be a second feedback in the registry.
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
