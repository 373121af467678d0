// The members that reconstruct nothing (core/features/). Exactly solved, with no parameter, and no model of their own:
// they only stand beside autoencoders.
import { deviationMember, fitDeviation } from '../../core/features/deviation.ts'
import { filtersMember, fitFilters } from '../../core/features/filters.ts'
import { type Measure } from '../../core/scoring/reconstruction-error.ts'
import { type WindowMatrix } from '../../core/series/window.ts'
import { savedDeviation, savedFilters } from '../../adapters/tfjs/measures.ts'
import { type SavedModel } from '../../adapters/tfjs/saved-models.ts'
import { type TrainedMember } from './architecture.ts'

const trained = (measure: Measure, saved: SavedModel): TrainedMember => ({
  ...measure,
  history: [],
  save: async () => saved,
  dispose: () => {},
})

export const MEASURES = {
  filters: (windows: WindowMatrix): TrainedMember => {
    const filters = fitFilters(windows)
    return trained(filtersMember(filters), savedFilters(filters))
  },
  deviation: (windows: WindowMatrix): TrainedMember => {
    const usual = fitDeviation(windows)
    return trained(deviationMember(usual), savedDeviation(usual))
  },
} as const

export type MeasureName = keyof typeof MEASURES

export const MEASURE_NAMES = Object.keys(MEASURES) as [MeasureName, ...MeasureName[]]

export const isMeasure = (name: string): name is MeasureName => Object.hasOwn(MEASURES, name)
