// Real model packages for tests: small linear autoencoders in TensorFlow.js's format, written without TensorFlow.js.
import { FIT_DEFAULTS, fitDetector } from '../../../core/fitting/fit.ts'
import { subspaceAutoencoder } from '../../../core/linear/linear.ts'
import { MANIFEST_FORMAT, ManifestSchema } from '../../../core/package/manifest.ts'
import { packArchive } from '../../registry/archive.ts'
import type { Series } from '../../../core/series/series.ts'
import { fitSubspace, type Subspace } from '../../../core/linear/subspace.ts'
import { NOT_MEASURED, proofOf } from '../../../core/test/proof.ts'
import { loadAutoencoders } from '../autoencoders.ts'
import { writeModelPackage } from '../model-package.ts'
import { type PackageFiles, readPackageFiles } from '../package-files.ts'
import type { SavedModel } from '../saved-models.ts'
import type { WindowMatrix } from '../../../core/series/window.ts'

const WINDOW = 8

/** Writes a package into the folder; another series gives another package. */
export async function writePackage (folder: string, name: string, series: Series): Promise<PackageFiles> {
  const learn = (windows: WindowMatrix) => {
    const subspace = fitSubspace(windows, 0.97)
    return { subspace, ...subspaceAutoencoder(subspace, windows.channels) }
  }
  const { model, autoencoders } = await fitDetector([series], { ...FIT_DEFAULTS, folds: 2 }, [{
    windowLength: WINDOW,
    tail: WINDOW,
    learn,
  }])
  const saved = [savedSubspace(autoencoders[0]!.subspace)]
  const loaded = await loadAutoencoders(
    {
      kernel: true,
      backend: async () => {
        throw new Error('not needed')
      },
    },
    saved,
    model
  )
  const manifest = ManifestSchema.parse({
    format: MANIFEST_FORMAT,
    name,
    version: '1',
    description: 'Fitted for the tests.',
    architecture: 'linear',
    detector: model,
    training: {
      tfjs: '4.22.0',
      backend: 'wasm',
      parameters: {},
      dataSha256: 'ab'.repeat(32),
      series: 1,
      observations: series.length,
    },
    sensitivity: NOT_MEASURED,
  })
  await writeModelPackage(folder, {
    manifest,
    golden: proofOf(model, loaded.autoencoders, series),
    models: saved,
    card: 'digest {digest}\n',
  })
  return readPackageFiles(folder)
}

export const archiveOf = async (files: PackageFiles): Promise<Buffer> => Buffer.from(await packArchive(files))

function savedSubspace ({ mean, directions, components, width }: Subspace): SavedModel {
  const [decode, bias] = [Float32Array.from(directions), Float32Array.from(mean)]
  const encode = new Float32Array(width * components)
  const offset = new Float32Array(components)
  for (let k = 0; k < components; k++) {
    let shift = 0
    for (let j = 0; j < width; j++) {
      encode[j * components + k] = decode[k * width + j]!
      shift -= decode[k * width + j]! * bias[j]!
    }
    offset[k] = shift
  }
  const dense = (name: string, units: number, after: string) => ({
    class_name: 'Dense',
    name,
    config: { name, activation: 'linear', units, use_bias: true },
    inbound_nodes: [[[after, 0, 0, {}]]],
  })
  const spec = (name: string, ...shape: number[]) => ({ name, shape, dtype: 'float32' as const })
  return {
    format: 'layers-model',
    topology: {
      class_name: 'Model',
      config: {
        name: 'linear',
        layers: [
          {
            class_name: 'InputLayer',
            name: 'window',
            config: { name: 'window', batch_input_shape: [null, width] },
            inbound_nodes: [],
          },
          dense('encoder', components, 'window'),
          dense('decoder', width, 'encoder'),
        ],
        input_layers: [['window', 0, 0]],
        output_layers: [['decoder', 0, 0]],
      },
    },
    weightSpecs: [
      spec('encoder/kernel', width, components),
      spec('encoder/bias', components),
      spec('decoder/kernel', components, width),
      spec('decoder/bias', width),
    ],
    weights: Buffer.concat([encode, offset, decode, bias].map(({ buffer }) => Buffer.from(buffer))),
  }
}
