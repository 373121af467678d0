// The training loop of all architectures that are trained step by step: own seeded batches, denoising, Adam, and a
// bound on the steps.
import { type LayersModel } from '@tensorflow/tfjs'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { createRandom, type Random, shuffle } from '../../core/random.ts'
import { type Backend } from '../../adapters/tfjs/backend.ts'
import { toReconstruct } from '../../adapters/tfjs/reconstruct.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import {
  type Epoch,
  type LayersAutoencoder,
  layersAutoencoder,
  type LearningContext,
  meanSquaredError,
} from './architecture.ts'

const count = z.number().int().positive()

/** The parameters of the loop, for the schema of an architecture. */
export function trainingParameters (defaults: { noise: number, learningRate: number, steps: number }) {
  return {
    /** Standard deviation of the noise added to the training input (denoising), in standardised units. */
    noise: z.number().nonnegative().default(defaults.noise),
    learningRate: z.number().positive().default(defaults.learningRate),
    batch: count.default(64),
    /** Optimiser steps; an epoch is as many as the windows fill batches. */
    steps: count.default(defaults.steps),
    /**
     * Share of the windows, the last ones, that is not trained on: the weights that reconstruct it best are kept. 0:
     * all windows train, the last weights stay.
     */
    validation: z.number().min(0).lt(1).default(0),
    /** Epochs without a better reconstruction of that share after which training ends. */
    patience: count.default(10),
  }
}

export type TrainingOptions = z.output<z.ZodObject<ReturnType<typeof trainingParameters>>>

/**
 * Trains a model to reconstruct windows and owns it from then on.
 * @param name of the architecture: each draws numbers of its own
 * @throws Problem invalid-settings when the training diverges
 */
export async function trainAutoencoder (
  name: string,
  model: LayersModel,
  windows: WindowMatrix,
  options: TrainingOptions,
  context: LearningContext
): Promise<LayersAutoencoder> {
  const optimizer = context.backend.tf.train.adam(options.learningRate)
  model.compile({ optimizer, loss: 'meanSquaredError' })
  try {
    return layersAutoencoder(context.backend, model, await train(name, model, windows, options, context))
  } catch (error) {
    model.dispose()
    throw error
  } finally {
    // Its moments are as large as the weights, and the model does not own them.
    optimizer.dispose()
  }
}

/** Own seeded batches: fit({ shuffle: true }) of TensorFlow.js draws from Math.random. */
async function train (
  name: string,
  model: LayersModel,
  all: WindowMatrix,
  options: TrainingOptions,
  { backend, seed, onEpoch }: LearningContext
): Promise<Epoch[]> {
  const random = createRandom(`${name}/${seed}`)
  const { windows, tail } = split(all, options.validation)
  const watch = tail.count === 0 ? undefined : new TailWatch(backend, model, tail, options.patience)
  const perEpoch = Math.max(1, Math.ceil(windows.count / options.batch))
  const epochs = Math.ceil(options.steps / perEpoch)
  const order = Uint32Array.from({ length: windows.count }, (_, i) => i)
  const history: Epoch[] = []
  try {
    for (let epoch = 1, last = epochs; epoch <= last; epoch++) {
      shuffle(order, random)
      const steps = Math.min(perEpoch, options.steps - (epoch - 1) * perEpoch)
      let loss = 0
      for (let step = 0; step < steps; step++) {
        const rows = order.subarray(step * options.batch, (step + 1) * options.batch)
        loss += await trainStep(backend, model, windows, rows, options.noise, random)
      }
      history.push({ epoch, loss: finite(name, epoch, loss / steps) })
      if (watch?.isOver() === true) last = epoch
      onEpoch(history.at(-1)!, last)
    }
    watch?.restoreBest()
    // A loss is taken before its step: the last one may have led astray.
    finite(
      name,
      history.length,
      meanSquaredError({ reconstruct: toReconstruct(backend, model) }, split(windows, 1).windows)
    )
    return history
  } finally {
    watch?.dispose()
  }
}

/** The last share of the windows apart from the rest, of which at least one window is left. */
function split (all: WindowMatrix, share: number): { windows: WindowMatrix, tail: WindowMatrix } {
  const { values, count, width } = all
  const kept = Math.max(1, count - Math.floor(count * share))
  return {
    windows: { ...all, values: values.subarray(0, kept * width), count: kept },
    tail: { ...all, values: values.subarray(kept * width), count: count - kept },
  }
}

function finite (name: string, epoch: number, loss: number): number {
  if (Number.isFinite(loss)) return loss
  throw new Problem(
    'invalid-settings',
    `The training diverged in epoch ${epoch}: its loss became ${loss}. Choose a smaller train.architectures.${name}.learningRate.`
  )
}

async function trainStep (
  { tf }: Backend,
  model: LayersModel,
  { values, width }: WindowMatrix,
  rows: Uint32Array,
  noise: number,
  random: Random
): Promise<number> {
  const target = new Float32Array(rows.length * width)
  rows.forEach((row, i) => { target.set(values.subarray(row * width, (row + 1) * width), i * width) })
  const noisy = target.map((value) => value + noise * random.normal())
  const x = tf.tensor2d(noisy, [rows.length, width])
  const y = tf.tensor2d(target, [rows.length, width])
  try {
    return await model.trainOnBatch(x, y) as number
  } finally {
    x.dispose()
    y.dispose()
  }
}

/** Remembers the weights that reconstructed the held-out windows best. */
class TailWatch {
  readonly #model: LayersModel
  readonly #patience: number
  readonly #error: () => number
  #best: ReturnType<LayersModel['getWeights']> = []
  #lowest = Infinity
  #waited = 0

  constructor (backend: Backend, model: LayersModel, tail: WindowMatrix, patience: number) {
    const reconstruct = toReconstruct(backend, model)
    this.#model = model
    this.#patience = patience
    this.#error = () => meanSquaredError({ reconstruct }, tail)
  }

  /** To be asked once after every epoch. */
  isOver (): boolean {
    const error = this.#error()
    if (error < this.#lowest) {
      this.dispose()
      this.#best = this.#model.getWeights().map((weights) => weights.clone())
      this.#lowest = error
      this.#waited = 0
    } else {
      this.#waited++
    }
    return this.#waited >= this.#patience
  }

  restoreBest (): void {
    if (this.#best.length > 0) this.#model.setWeights(this.#best)
  }

  dispose (): void {
    for (const weights of this.#best) weights.dispose()
    this.#best = []
  }
}
