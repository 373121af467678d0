// name → architecture: adding one is a file of its own and its name here.
import { type Architecture } from './architecture.ts'
import { linear } from './linear.ts'
import { residual } from './residual.ts'

export const ARCHITECTURES = { linear, residual } as const satisfies Record<string, Architecture>

export type ArchitectureName = keyof typeof ARCHITECTURES

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as [ArchitectureName, ...ArchitectureName[]]
