// Feedback that people give on anomalies, stored beside the models: one object for each statement.
import { timedId } from '../identifiers.ts'
import { type Feedback, type FeedbackFields, FeedbackSchema, keys, readRecord } from './records.ts'
import type { RegistryStore } from './store.ts'

/** Stores a statement, with the version that was live at the time. */
export async function addFeedback (
  store: RegistryStore,
  fields: FeedbackFields,
  { version, now }: { readonly version: string | null, readonly now: number }
): Promise<Feedback> {
  const at = new Date(now).toISOString()
  // Ids sort by time, and are unique.
  const id = timedId(new Date(now))
  const feedback: Feedback = { id, at, version, ...fields }
  await store.create(
    `${keys.feedbackOf(fields.model)}${id}.json`,
    new TextEncoder().encode(`${JSON.stringify(feedback)}\n`)
  )
  return feedback
}

/** All statements on a model, oldest first. */
export async function listFeedback (store: RegistryStore, model: string): Promise<Feedback[]> {
  const objects = await store.list(keys.feedbackOf(model))
  const contents = await Promise.all(objects.map(async ({ key }) => store.get(key)))
  return contents.flatMap((content) => readRecord(FeedbackSchema, content) ?? [])
}
