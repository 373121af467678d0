// name → architecture: adding one is one file and one line here.
import { z } from 'zod'
import { type Learn } from '../../core/fit.ts'
import { type LayersAutoencoder, type LearningContext } from './architecture.ts'
import { linear } from './linear.ts'
import { residual } from './residual.ts'

const ARCHITECTURES = { linear, residual } as const

export type ArchitectureName = keyof typeof ARCHITECTURES

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as [ArchitectureName, ...ArchitectureName[]]

/** A section for every architecture with its parameters; what is absent gets the architecture's defaults. */
export const ArchitectureParameters = z.strictObject({
  linear: linear.parameters.prefault({}),
  residual: residual.parameters.prefault({}),
})

export type ArchitectureParametersOutput = z.output<typeof ArchitectureParameters>

export function architectureSummary (name: ArchitectureName): string {
  return ARCHITECTURES[name].summary
}

/** The learner of the named architecture, for core/fit.ts. */
export function learner (name: ArchitectureName, parameters: ArchitectureParametersOutput, context: LearningContext): Learn<LayersAutoencoder> {
  switch (name) {
    case 'linear': return async (windows) => linear.learn(windows, parameters.linear, context)
    case 'residual': return async (windows) => residual.learn(windows, parameters.residual, context)
  }
}
