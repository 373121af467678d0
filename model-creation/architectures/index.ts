// All architectures by name. To add one, write its file and list it here.
import { type Architecture } from './architecture.ts'
import { convolutional } from './convolutional.ts'
import { dense } from './dense.ts'
import { linear } from './linear.ts'
import { masked } from './masked.ts'
import { recurrent } from './recurrent.ts'
import { residual } from './residual.ts'

export const ARCHITECTURES = { linear, masked, residual, dense, convolutional, recurrent } as const satisfies Record<
  string,
  Architecture
>

export type ArchitectureName = keyof typeof ARCHITECTURES

export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as [ArchitectureName, ...ArchitectureName[]]
