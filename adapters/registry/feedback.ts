// What people say of anomalies, kept beside the models: one object a statement.
import { randomUUID } from 'node:crypto'
import { type Feedback, type FeedbackFields, FeedbackSchema, keys, readRecord } from './records.ts'
import type { RegistryStore } from './store.ts'

/** Keeps a statement, with the version that was live when it was made. */
export async function addFeedback (
  store: RegistryStore,
  fields: FeedbackFields,
  { version, now }: { readonly version: string | null, readonly now: number }
): Promise<Feedback> {
  const at = new Date(now).toISOString()
  // In order of time, and no two the same.
  const id = `${at.replaceAll(/\D/g, '')}-${randomUUID().slice(0, 8)}`
  const feedback: Feedback = { id, at, version, ...fields }
  await store.create(
    `${keys.feedbackOf(fields.model)}${id}.json`,
    new TextEncoder().encode(`${JSON.stringify(feedback)}\n`)
  )
  return feedback
}

/** All statements on a model, in the order in which they were made. */
export async function listFeedback (store: RegistryStore, model: string): Promise<Feedback[]> {
  const objects = await store.list(keys.feedbackOf(model))
  const contents = await Promise.all(objects.map(async ({ key }) => store.get(key)))
  return contents.flatMap((content) => readRecord(FeedbackSchema, content) ?? [])
}
