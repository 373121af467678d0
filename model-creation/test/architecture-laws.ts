// The subjects of the laws of core/test/checks.ts: detectors of one architecture or several, with small parameters.
// Runs on TFJS_BACKEND.
import { defaultTail } from '../../core/fitting/members.ts'
import { type FittedDetector } from '../../core/fitting/fit.ts'
import { type Manifest, MANIFEST_FORMAT } from '../../core/package/manifest.ts'
import { type Series } from '../../core/series/series.ts'
import { type Subject } from '../../core/test/checks.ts'
import { type BackendChoice, loadBackend } from '../../adapters/tfjs/backend.ts'
import { NOT_MEASURED, proofOf } from '../../core/test/proof.ts'
import { loadModelPackage, writeModelPackage } from '../../adapters/tfjs/model-package.ts'
import { type TrainedMember } from '../architectures/architecture.ts'
import { type ArchitectureName } from '../architectures/index.ts'
import { parseParams } from '../settings/params.ts'
import { toFit } from '../stages/members.ts'

export const backend = await loadBackend((process.env['TFJS_BACKEND'] ?? 'auto') as BackendChoice)

type ParametersByName = Readonly<Record<ArchitectureName, Readonly<Record<string, unknown>>>>

/** Small, but trained: the laws must hold for weights that have moved. */
export const QUICK: ParametersByName = {
  linear: {},
  masked: {},
  residual: { hidden: 8, code: 2, batch: 32, steps: 12 },
  dense: { hidden: 12, code: 2, batch: 32, steps: 30, learningRate: 0.03 },
  convolutional: { filters: 4, kernel: 3, code: 2, batch: 32, steps: 10 },
  recurrent: { units: 4, piece: 3, batch: 32, steps: 8 },
}

/** The architectures that are solved exactly; gradient descent trains the others. */
export const EXACT: readonly ArchitectureName[] = ['linear', 'masked']

async function packaged (
  directory: string,
  { model, autoencoders }: FittedDetector<TrainedMember>,
  series: Series,
  normal: Series
): ReturnType<typeof loadModelPackage> {
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    name: 'checked',
    version: '1',
    description: '',
    architecture: 'any',
    detector: model as Manifest['detector'],
    training: {
      tfjs: backend.version,
      backend: backend.name,
      parameters: {},
      dataSha256: '0'.repeat(64),
      series: 1,
      observations: series.length,
    },
    sensitivity: NOT_MEASURED,
  }
  const golden = proofOf(model, autoencoders, series, normal)
  const models = await Promise.all(autoencoders.map(async (member) => member.save()))
  await writeModelPackage(directory, { manifest, golden, models, card: '' })
  return loadModelPackage(directory, backend.name)
}

/** A detector of these architectures; the windows of all but the first are shorter. */
export function subjectOf (
  names: readonly ArchitectureName[],
  parameters: ParametersByName = QUICK
): Subject<TrainedMember> {
  const train = { ...parseParams({}, 'the test').train, architectures: parameters }
  return {
    random: names.some((name) => !EXACT.includes(name)),
    members: (seed, windowLength) => {
      const members = names.map((architecture, m) => {
        const length = m === 0 ? windowLength : Math.ceil(windowLength / 2)
        return { architecture, windowLength: length, tail: defaultTail(length) }
      })
      return toFit(members, train, { backend, seed, onEpoch: () => {} })
    },
    bytes: async (member) => {
      const { weights, ...topology } = await member.save()
      return Buffer.concat([weights, Buffer.from(JSON.stringify([topology, member.history]))])
    },
    packaged,
    tensors: () => backend.tf.memory().numTensors,
  }
}
