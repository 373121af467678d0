// What POST /models asks for → what a training needs: a name, flags of the pipeline, and where its series comes from.
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

/** Series in a bucket that one training reads. */
const MAX_FILES = 1000

/** @throws Problem invalid-request, or of the posted series */
export async function trainingRequest (
  query: PublishQuery,
  posted: PostedSeriesBody | undefined,
  scorer: Pick<Scorer, 'table'>,
  settings: RegistryConfig
): Promise<TrainingRequest> {
  const { name, from, promote = false } = query
  if (name === undefined) throw wrong('name', 'The query must say what the model is to be called: ?name=…')
  const flags = (['trainUntil', 'interval', 'architecture'] as const).flatMap((flag) =>
    query[flag] === undefined
      ? []
      : [`--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, query[flag]!]
  )
  const common = { name, promote, flags }
  if (from !== undefined) {
    if (posted !== undefined) {
      throw wrong('from', 'There is a body, too; send the series, or say from where it is to be taken.')
    }
    return { ...common, place: placeFrom(from, settings) }
  }
  if (posted === undefined) {
    throw wrong('from', 'There is nothing to train on: send a series as body, or say ?from=s3://bucket/key.')
  }
  // Read now: what is wrong with it is the answer, and not a job's end.
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
    items: [{ pointer: pointer('query', member), detail: 'missing, or not together with the rest' }],
  })

/** @throws Problem invalid-request where the settings do not allow it */
function placeFrom (from: string, { trainingSources, access }: RegistryConfig): TrainingRequest['place'] {
  const isAllowed = trainingSources.some((source) =>
    from === source || from.startsWith(`${source.replace(/\/$/, '')}/`)
  )
  if (!isAllowed) {
    throw wrong(
      'from',
      trainingSources.length === 0
        ? 'This service trains on posted series alone; its operator sets TRAINING_SOURCES to allow others.'
        : `Series are taken from ${trainingSources.join(', ')} alone.`
    )
  }
  const settings = bucketSettings('from', from, access)
  return async (folder, signal) => {
    const { downloadTables } = await import('../adapters/table-source.ts')
    await mkdir(folder)
    return downloadTables(settings, folder, { maxFiles: MAX_FILES, signal })
  }
}
