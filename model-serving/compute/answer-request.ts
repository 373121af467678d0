// A request as it came → the bytes of its answers: everything of POST /compute that takes time. Runs in the worker threads; a
// failure comes out as plain data, because a Problem would lose its class on the way to the thread that speaks HTTP.
import type { ModelRegistry, ServedModel } from '../models.ts'
import { type ComputeAnswer, type Part, PARTS } from '../schemas/compute.ts'
import type { AnswerType } from '../schemas/media.ts'
import type { ComputeLimits } from '../workers/messages.ts'
import { answerTable } from './answer-table.ts'
import { compute } from './compute.ts'
import type { ComputeInput } from './input.ts'
import type { ComputeTask, Outcome } from './messages.ts'
import { plainFailure } from './plain-failure.ts'
import { readRequest } from './read-request.ts'

/** Never rejects. */
export async function answerRequest (models: ModelRegistry<ServedModel>, limits: ComputeLimits, task: ComputeTask): Promise<Outcome> {
  try {
    const input = await readRequest(task, limits)
    const { model, observations, answer } = await compute(models, input, limits)
    const bodies: Array<Uint8Array<ArrayBuffer>> = []
    for (const type of task.answerTypes) bodies.push(await render(answer(partsFor(type, input)), type))
    return { answered: { bodies, model: `${model.name}@${model.version}`, observations, channels: input.channels.length } }
  } catch (error) {
    return { failure: plainFailure(error) }
  }
}

const PLOTTED = PARTS.filter((part) => part !== 'changepoints')

/** A plot shows everything that there is a mark for, a table has its verdicts and says what was filled; JSON is what was asked for. */
function partsFor (type: AnswerType, { options }: ComputeInput): readonly Part[] | undefined {
  if (type === 'application/json') return undefined
  return type === 'text/csv' ? [...options.include, 'score', 'isAnomaly', 'quality'] : PLOTTED
}

async function render (answer: ComputeAnswer, type: AnswerType): Promise<Uint8Array<ArrayBuffer>> {
  if (type === 'application/json') return bytesOf(JSON.stringify(answer))
  if (type === 'text/csv') return bytesOf(answerTable(answer))
  // Loaded with the first plot: the charting library is large, and most callers want numbers.
  const { renderPng, renderSvg } = await import('../plot/render.ts')
  // Copied: the pixels lie in memory of the renderer, which cannot be handed to another thread.
  return type === 'image/png' ? new Uint8Array(renderPng({ answer })) : bytesOf(renderSvg({ answer }))
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
