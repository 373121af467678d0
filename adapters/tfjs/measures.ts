// The members that reconstruct nothing (core/features/) as files: their numbers, beside a JSON file that names them.
import { type Deviation, deviationMember } from '../../core/features/deviation.ts'
import { type Filters, filtersMember, mapLength } from '../../core/features/filters.ts'
import type { Measure } from '../../core/scoring/reconstruction-error.ts'
import type { SavedModel } from './saved-models.ts'

function saved (format: SavedModel['format'], channels: number, parts: Record<string, Float32Array>): SavedModel {
  return {
    format,
    weightSpecs: Object.entries(parts).map(([name, values]) => ({
      name,
      shape: [channels, values.length / channels],
      dtype: 'float32',
    })),
    weights: Buffer.concat(Object.values(parts).map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength))),
  }
}

export const savedFilters = ({ channels, maps }: Filters): SavedModel => saved('filters', channels, { maps })

export const savedDeviation = ({ center, spread }: Deviation): SavedModel =>
  saved('deviation', center.length, { center, spread })

/**
 * The measure of a saved model; undefined if it is a LayersModel.
 * @throws Error if the numbers do not fit windows of this length and number of channels
 */
export function measureOf (model: SavedModel, windowLength: number, channels: number): Measure | undefined {
  const { format, weights } = model
  if (format === 'layers-model') return undefined
  const numbers = new Float32Array(Uint8Array.from(weights).buffer)
  const wanted = channels * (format === 'filters' ? mapLength(windowLength) : 2)
  if (numbers.length !== wanted || !numbers.every(Number.isFinite)) {
    throw new Error(
      `its weights are not the ${wanted} numbers of ${format} on windows of ${windowLength} × ${channels}`
    )
  }
  if (format === 'filters') return filtersMember({ channels, windowLength, maps: numbers })
  return deviationMember({ center: numbers.subarray(0, channels), spread: numbers.subarray(channels) })
}
