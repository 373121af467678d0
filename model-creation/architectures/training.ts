// The training loop of all architectures that gradient descent trains: seeded batches, denoising, Adam, and a limit on
// the steps.
import { type LayersModel } from '@tensorflow/tfjs'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { createRandom, shuffle } from '../../core/random.ts'
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
    /** Optimiser steps; an epoch has one step for each batch of windows. */
    steps: count.default(defaults.steps),
    /**
     * Share of the windows, the last ones, to hold out: the weights that reconstruct it best are kept. 0: all windows
     * train, and the final weights are kept.
     */
    validation: z.number().min(0).lt(1).default(0),
    /** Training ends after so many epochs that did not improve the reconstruction of the held-out share. */
    patience: count.default(10),
  }
}

interface Training {
  /** Name of the architecture: seeds its random numbers. */
  readonly name: string
  readonly model: LayersModel
  readonly windows: WindowMatrix
  readonly options: z.output<z.ZodObject<ReturnType<typeof trainingParameters>>>
  readonly context: LearningContext
}

/**
 * Trains a model to reconstruct windows. The returned autoencoder owns the model; if training fails, the model is
 * disposed.
 * @throws Problem invalid-settings if the training diverges
 */
export async function trainAutoencoder (training: Training): Promise<LayersAutoencoder> {
  const { model, options, context: { backend } } = training
  const optimizer = backend.tf.train.adam(options.learningRate)
  model.compile({ optimizer, loss: 'meanSquaredError' })
  try {
    return layersAutoencoder(backend, model, await train(training))
  } catch (error) {
    model.dispose()
    throw error
  } finally {
    // The model does not own the optimiser's moments, which are as large as the weights.
    optimizer.dispose()
  }
}

/** Makes its own seeded batches: TensorFlow.js's fit({ shuffle: true }) draws from Math.random. */
async function train ({ name, model, windows: all, options, context }: Training): Promise<Epoch[]> {
  const { backend, seed, onEpoch } = context
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
        const target = rowsOf(windows, order.subarray(step * options.batch, (step + 1) * options.batch))
        const noisy = target.map((value) => value + options.noise * random.normal())
        loss += await trainStep(backend, model, { noisy, target, width: windows.width })
      }
      history.push({ epoch, loss: finite(name, epoch, loss / steps) })
      if (watch?.isOver() === true) last = epoch
      onEpoch(history.at(-1)!, last)
    }
    watch?.restoreBest()
    // Each loss was measured before its step, so the last step may still have made the model diverge.
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

/** Splits off the last share of the windows; at least one window stays in front. */
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
    `The training diverged in epoch ${epoch}: its loss became ${loss}. ` +
      `Choose a smaller train.architectures.${name}.learningRate.`
  )
}

/** Copies the windows of these indices, one after another. */
function rowsOf ({ values, width }: WindowMatrix, rows: Uint32Array): Float32Array {
  const copied = new Float32Array(rows.length * width)
  rows.forEach((row, i) => { copied.set(values.subarray(row * width, (row + 1) * width), i * width) })
  return copied
}

/** Windows as the model sees them, and as it must reconstruct them; flat, each window of `width` values. */
interface Batch {
  readonly noisy: Float32Array
  readonly target: Float32Array
  readonly width: number
}

/** @returns the batch's loss before the step */
async function trainStep ({ tf }: Backend, model: LayersModel, { noisy, target, width }: Batch): Promise<number> {
  const x = tf.tensor2d(noisy, [noisy.length / width, width])
  const y = tf.tensor2d(target, [target.length / width, width])
  try {
    return await model.trainOnBatch(x, y) as number
  } finally {
    x.dispose()
    y.dispose()
  }
}

/** Keeps the weights that reconstruct the held-out windows best. */
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

  /** Call this once after every epoch. */
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
