// A request of POST /models → a training: its name, the flags of the pipeline, and the source of its series.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pointer, Problem } from '../../core/errors.ts'
import { bucketSettings } from '../../adapters/registry/open-store.ts'
import type { RegistryConfig } from '../settings/registry.ts'
import type { ComputeTask } from '../compute/messages/messages.ts'
import type { PublishQuery } from '../schemas/registry.ts'
import type { Scorer } from '../workers/scorer.ts'
import type { TrainingRequest } from './jobs.ts'

type PostedSeriesBody = Pick<ComputeTask, 'body' | 'mediaType' | 'contentType'>

/** Most series in a bucket for one training. */
const MAX_FILES = 1000

/** @throws Problem invalid-request, or a problem of the posted series */
export async function trainingRequest (
  query: PublishQuery,
  posted: PostedSeriesBody | undefined,
  scorer: Pick<Scorer, 'table'>,
  settings: RegistryConfig
): Promise<TrainingRequest> {
  const { name, from, promote = false } = query
  if (name === undefined) throw wrong('name', 'The query must name the model: ?name=…')
  const flags = (['trainUntil', 'interval', 'architecture'] as const).flatMap((flag) =>
    query[flag] === undefined
      ? []
      : [`--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, query[flag]!]
  )
  const common = { name, promote, flags }
  if (from !== undefined) {
    if (posted !== undefined) {
      throw wrong('from', 'The request has a body and "from"; send only one of them.')
    }
    return { ...common, place: placeFrom(from, settings) }
  }
  if (posted === undefined) {
    throw wrong('from', 'The request has no series; send one as the body, or name one with ?from=s3://bucket/key.')
  }
  // Read now, so that the caller gets the problems of the series as the answer.
  const table = await scorer.table({ ...posted, query: {}, answerTypes: [] })
  return {
    ...common,
    place: async (folder) => {
      await mkdir(folder)
      const file = join(folder, 'series.csv')
      await writeFile(file, table)
      return file
    },
  }
}

const wrong = (member: string, message: string): Problem =>
  new Problem('invalid-request', message, {
    items: [{ pointer: pointer('query', member), detail: message }],
  })

/** @throws Problem invalid-request if the settings do not allow it */
function placeFrom (from: string, { trainingSources, access }: RegistryConfig): TrainingRequest['place'] {
  const isAllowed = trainingSources.some((source) =>
    from === source || from.startsWith(`${source.replace(/\/$/, '')}/`)
  )
  if (!isAllowed) {
    throw wrong(
      'from',
      trainingSources.length === 0
        ? 'This service trains only on posted series; to allow others, the operator sets TRAINING_SOURCES.'
        : `This service takes series only from ${trainingSources.join(', ')}.`
    )
  }
  const settings = bucketSettings('from', from, access)
  return async (folder, signal) => {
    const { downloadTables } = await import('../adapters/table-source.ts')
    await mkdir(folder)
    return downloadTables(settings, folder, { maxFiles: MAX_FILES, signal })
  }
}
