// A thread that scores: loads the models once, then answers one request after another. Its tasks come from workers/pool.ts.
import { workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { answerRequest } from '../compute/answer-request.ts'
import type { Outcome } from '../compute/messages.ts'
import { plainFailure } from '../compute/plain-failure.ts'
import type { LoadedModels, loadModels } from '../load-models.ts'
import { ModelRegistry, type ServedModel } from '../models.ts'
import { digestsOf, type PoolTask, type Start, type WorkerSettings } from './messages.ts'

const { loader, load, limits } = workerData as WorkerSettings
const models = new ModelRegistry<ServedModel>()
// Awaited here, so that a thread gets its first request when it can answer it.
const started = await start()

async function start (): Promise<Start> {
  try {
    const source = await import(loader) as { loadModels: typeof loadModels }
    const { models: packages, backend }: LoadedModels = await source.loadModels(load)
    models.open(packages, backend)
    return { loaded: { models: packages.map(({ manifest, digest, goldenDifference }) => ({ manifest, digest, goldenDifference })), backend } }
  } catch (error) {
    return { failure: plainFailure(error) }
  }
}

/** What became of the start. */
export function describe (): Start {
  return started
}

/** The answers' bytes are handed over, not copied. */
export default async function answer ({ task, digests }: PoolTask): Promise<Outcome | object> {
  if ('failure' in started) return started
  if (digestsOf(started.loaded) !== digests) {
    return { failure: plainFailure(new Error('The model packages changed since the service started, so that this thread read other ones; restart the service.')) }
  }
  const outcome = await answerRequest(models, limits, task)
  return 'failure' in outcome ? outcome : move({ [transferableSymbol]: outcome.answered.bodies.map(({ buffer }) => buffer), [valueSymbol]: outcome } as unknown as Parameters<typeof move>[0])
}
