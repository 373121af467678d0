// Small valid model packages for tests of the registry. Their weights are noise: no test loads them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, MANIFEST_FORMAT } from '../../../core/package/manifest.ts'
import { NOT_MEASURED } from '../../../core/test/proof.ts'
import { fitLinear, waves } from '../../../core/test/synthetic.ts'
import { writeModelPackage } from '../../tfjs/model-package.ts'
import { type PackageFiles, readPackageFiles } from '../../tfjs/package-files.ts'

const series = waves(240)
const { model } = await fitLinear([series])

/** Each seed gives another package. */
export async function noisePackage (name: string, seed: number, weights = 64): Promise<PackageFiles> {
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    name,
    version: String(seed),
    description: 'Noise.',
    architecture: 'linear',
    detector: model as Manifest['detector'],
    training: {
      tfjs: '4.22.0',
      backend: 'wasm',
      parameters: { seed },
      dataSha256: 'ab'.repeat(32),
      series: 1,
      observations: series.length,
    },
    sensitivity: NOT_MEASURED,
  }
  const folder = await mkdtemp(join(tmpdir(), 'noise-'))
  try {
    const saved = {
      format: 'layers-model' as const,
      topology: {},
      weightSpecs: [],
      weights: Uint8Array.from({ length: weights }, (_, i) => (seed * 31 + i * 7) % 256),
    }
    await writeModelPackage(folder, {
      manifest,
      golden: {
        start: 0,
        values: {},
        causal: [],
        batch: [],
        probes: { start: 0, values: {}, calmAt: { batch: [], causal: [] }, probes: [] },
      },
      models: [saved],
      card: `seed ${seed}`,
    })
    return await readPackageFiles(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
