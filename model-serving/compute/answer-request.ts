// The bytes of a request → the bytes of its answers. Runs in the worker threads, because it is the slow part of
// POST /compute. A failure is returned as plain data: a Problem would lose its class on the way to the HTTP thread.
import { ANOMALOUS } from '../../core/verdicts/verdicts.ts'
import { type ModelLookup, PackageMissing } from '../packages/resident-models.ts'
import type { AnswerType } from '../schemas/media.ts'
import type { ComputeLimits } from '../settings/config.ts'
import { answerTable } from './answer/answer-table.ts'
import { compute, type Computed } from './compute.ts'
import type { ComputeInput } from './read/input.ts'
import type { ComputeTask, Outcome } from './messages/messages.ts'
import { plainFailure } from './messages/plain-failure.ts'
import { readRequest } from './read/read-request.ts'

/**
 * @param onComputed called with the scored series, after the answers are rendered
 * @throws PackageMissing if the thread must be given a package first; nothing else
 */
export async function answerRequest (
  models: ModelLookup,
  limits: ComputeLimits,
  task: ComputeTask,
  onComputed: (computed: Computed) => void = () => {}
): Promise<Outcome> {
  try {
    const input = await readRequest(task, limits)
    const computed = await compute(models, input, limits)
    const bodies: Array<Uint8Array<ArrayBuffer>> = []
    for (const type of task.answerTypes) bodies.push(await render(computed, input, type))
    onComputed(computed)
    const { model, series, judged } = computed
    return {
      answered: {
        bodies,
        model: `${model.name}@${model.version}`,
        observations: series.length,
        anomalous: judged.verdicts.filter((verdict) => verdict === ANOMALOUS).length,
        channels: input.channels.length,
      },
    }
  } catch (error) {
    if (error instanceof PackageMissing) throw error
    return { failure: plainFailure(error) }
  }
}

async function render (
  computed: Computed,
  { options }: ComputeInput,
  type: AnswerType
): Promise<Uint8Array<ArrayBuffer>> {
  if (type === 'application/json') return bytesOf(JSON.stringify(computed.answer()))
  // A table always contains the verdicts and the imputed channels.
  if (type === 'text/csv') {
    return bytesOf(answerTable(computed.answer([...options.include, 'score', 'isAnomaly', 'quality'])))
  }
  const plot = { answer: computed.plot() }
  // Loaded for the first plot: the drawing libraries are large, and most callers want numbers.
  if (type === 'image/svg+xml') return bytesOf((await import('../plot/svg.ts')).renderSvg(plot))
  // Copied: small buffers share their memory with others, so they cannot be transferred to another thread.
  return new Uint8Array((await import('../plot/png.ts')).renderPng(plot))
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
