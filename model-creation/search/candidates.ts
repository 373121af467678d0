// The candidates of a search: settings of the section `train`, as changes to the current parameters.
import { LARGEST_MASKED_WIDTH } from '../../core/linear/masked.ts'
import { type Random, shuffle } from '../../core/random.ts'
import { type ArchitectureName } from '../architectures/index.ts'
import { type Params, parseParams } from '../settings/params.ts'

type Train = Params['train']

export interface Candidate {
  readonly name: string
  /** The lines of the section `train` that it changes. */
  readonly change: TrainChange
}

/** Part of the section `train`. */
interface TrainChange {
  readonly architecture?: Train['architecture']
  readonly windowLength?: number
  readonly tail?: 'auto'
  readonly members?: 'auto'
  readonly causal?: { readonly smoothing: number | 'auto' }
  readonly batch?: { readonly smoothing: number | 'auto' }
  readonly architectures?: Partial<Record<ArchitectureName, Readonly<Record<string, number>>>>
}

/** The current parameters: the first candidate, which every other has to beat. */
export const AS_IS: Candidate = { name: 'as in the parameters', change: {} }

const WINDOWS = [8, 16, 32, 64, 128]
const VARIANCE_SHARES = [0.8, 0.9, 0.95, 0.97, 0.99]
const RIDGES = [0.003, 0.03, 0.3]
const SMOOTHINGS = ['auto', 5, 15] as const

/** How many windows must fit into the training part, end to end; as for the defaults (core/fitting/members.ts). */
const LENGTHS_IN_TRAINING = 12

function windowLengths (observations: number, channels: number): number[] {
  return WINDOWS.filter((length) =>
    length * LENGTHS_IN_TRAINING <= observations && length * channels <= LARGEST_MASKED_WIDTH
  )
}

const lone = (architecture: ArchitectureName, windowLength: number): TrainChange => ({
  architecture,
  windowLength,
  tail: 'auto',
})

/** All candidates of one architecture. */
function candidatesOf (architecture: Train['architecture'], lengths: readonly number[]): Candidate[] {
  if (architecture === 'ensemble') {
    return VARIANCE_SHARES.map((varianceShare) => ({
      name: `ensemble, variance share ${varianceShare}`,
      change: { architecture, members: 'auto', architectures: { linear: { varianceShare } } },
    }))
  }
  return lengths.flatMap((length): Candidate[] => {
    const change = lone(architecture, length)
    const name = `${architecture}, window ${length}`
    if (architecture === 'linear') {
      return VARIANCE_SHARES.map((varianceShare) => ({
        name: `${name}, variance share ${varianceShare}`,
        change: { ...change, architectures: { linear: { varianceShare } } },
      }))
    }
    if (architecture === 'masked') {
      return RIDGES.map((ridge) => ({
        name: `${name}, ridge ${ridge}`,
        change: { ...change, architectures: { masked: { ridge } } },
      }))
    }
    return [{ name, change }]
  })
}

/**
 * The first round: the current parameters, then the grid in random order, because it is unknown which axis matters
 * (Bergstra and Bengio 2012, "Random search for hyper-parameter optimization").
 */
export function candidatesFor (
  architectures: ReadonlyArray<Train['architecture']>,
  observations: number,
  channels: number,
  random: Random
): Candidate[] {
  const lengths = windowLengths(observations, channels)
  const grid = architectures.flatMap((architecture) => candidatesOf(architecture, lengths))
  const order = shuffle(Uint32Array.from(grid, (_, i) => i), random)
  return [AS_IS, ...Array.from(order, (i) => grid[i]!)]
}

/** The second round: a candidate with each other smoothing. */
export function smoothed ({ name, change }: Candidate, train: Train): Candidate[] {
  return SMOOTHINGS.filter((smoothing) => smoothing !== train.causal.smoothing || smoothing !== train.batch.smoothing)
    .map((smoothing) => ({
      name: `${name}, smoothing ${smoothing}`,
      change: { ...change, causal: { smoothing }, batch: { smoothing } },
    }))
}

/** The complete section `train` of a candidate. */
export function trainOf (base: Train, { name, change }: Candidate): Train {
  const architectures = Object.fromEntries(
    Object.entries(base.architectures).map(([architecture, section]) => [
      architecture,
      { ...section, ...change.architectures?.[architecture as ArchitectureName] },
    ])
  )
  return parseParams({
    train: {
      ...base,
      ...change,
      causal: { ...base.causal, ...change.causal },
      batch: { ...base.batch, ...change.batch },
      architectures,
    },
  }, name).train
}
