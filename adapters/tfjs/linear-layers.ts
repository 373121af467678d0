// Recognises stored models of linear layers. The kernel runs them faster than TensorFlow.js, which is then not loaded.
import type { Autoencoder } from '../../core/scoring/reconstruction-error.ts'
import { maskedAutoencoder, subspaceAutoencoder } from '../../core/linear/linear.ts'
import type { SavedModel } from './saved-models.ts'

interface DenseLayer {
  readonly units: number
  /** Shape [inputs × units]. */
  readonly kernel: Float32Array
  /** Shape [units]. */
  readonly bias: Float32Array
}

/** Stored models are rounded to 32 bits. */
const TOLERANCE = 1e-5

/**
 * Turns a model into an autoencoder of the kernel, if it is the exact solution of `linear` or `masked`.
 * @returns undefined for any other model: TensorFlow.js runs it
 */
export function linearLayers (saved: SavedModel, width: number, channels: number): Autoencoder | undefined {
  const layers = denseChain(saved)
  if (layers === undefined || layers[0]!.kernel.length !== width * layers[0]!.units || layers.at(-1)!.units !== width) {
    return undefined
  }
  if (layers.length === 2) return asSubspace(layers[0]!, layers[1]!, width, channels)
  return layers.length === 1 ? asMasked(layers[0]!, width, channels) : undefined
}

/** x̂ = b + (x Vᵀ + a) V with a = −V b. */
function asSubspace (
  encoder: DenseLayer,
  decoder: DenseLayer,
  width: number,
  channels: number
): Autoencoder | undefined {
  const components = encoder.units
  for (let k = 0; k < components; k++) {
    let shift = 0
    for (let j = 0; j < width; j++) {
      const weight = decoder.kernel[k * width + j]!
      if (encoder.kernel[j * components + k] !== weight) return undefined
      shift -= weight * decoder.bias[j]!
    }
    if (Math.abs(shift - encoder.bias[k]!) > TOLERANCE * Math.max(1, Math.abs(shift))) return undefined
  }
  const [mean, directions] = [Float64Array.from(decoder.bias), Float64Array.from(decoder.kernel)]
  return subspaceAutoencoder({ width, mean, directions, components }, channels)
}

/** x̂ = b + x B. The diagonal of B must be zero: no value reconstructs itself. */
function asMasked ({ kernel, bias }: DenseLayer, width: number, channels: number): Autoencoder | undefined {
  for (let j = 0; j < width; j++) if (kernel[j * width + j] !== 0) return undefined
  return maskedAutoencoder({ width, offset: Float64Array.from(bias), weights: Float64Array.from(kernel) }, channels)
}

interface Topology {
  readonly config?: { readonly layers?: readonly LayerTopology[] }
}

interface LayerTopology {
  readonly class_name: string
  readonly name: string
  readonly config: { readonly activation?: string, readonly units?: number }
  readonly inbound_nodes: ReadonlyArray<ReadonlyArray<readonly [string, ...unknown[]]>>
}

/** The layers of a model that is a plain chain of linear dense layers; else undefined. */
function denseChain (saved: SavedModel): DenseLayer[] | undefined {
  const [input, ...dense] = (saved.topology as Topology).config?.layers ?? []
  if (input?.class_name !== 'InputLayer' || dense.length === 0) return undefined
  const follows = (layer: LayerTopology, i: number): boolean =>
    layer.inbound_nodes[0]?.[0]?.[0] === (i === 0 ? input : dense[i - 1]!).name
  if (
    !dense.every((layer, i) =>
      layer.class_name === 'Dense' && layer.config.activation === 'linear' && follows(layer, i)
    )
  ) return undefined
  const values = weightsByName(saved)
  const layers = dense.map(({ name, config: { units = 0 } }) => ({
    units,
    kernel: values.get(`${name}/kernel`),
    bias: values.get(`${name}/bias`),
  }))
  return layers.every((layer): layer is DenseLayer => layer.kernel !== undefined && layer.bias?.length === layer.units)
    ? layers
    : undefined
}

function weightsByName ({ weightSpecs, weights }: SavedModel): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>()
  let at = 0
  for (const { name, shape } of weightSpecs) {
    const bytes = 4 * shape.reduce((product, length) => product * length, 1)
    if (at + bytes <= weights.byteLength) {
      values.set(name, new Float32Array(Uint8Array.from(weights.subarray(at, at + bytes)).buffer))
    }
    at += bytes
  }
  return values
}
