// What the worker threads of the tests load instead of model packages: the models that fixture.ts wrote down.
import { readFile } from 'node:fs/promises'
import { subspaceAutoencoder } from '../../core/linear.ts'
import type { Reconstruct } from '../../core/reconstruction-error.ts'
import type { Subspace } from '../../core/subspace.ts'
import type { Config } from '../config.ts'
import type { LoadedModels } from '../load-models.ts'
import type { ModelIdentity } from '../models.ts'

interface WrittenModel extends ModelIdentity {
  readonly subspace: Omit<Subspace, 'mean' | 'directions'> & { readonly mean: number[], readonly directions: number[] }
}

/** What models of these names do besides reconstructing. */
const BURDENS: Readonly<Record<string, (reconstruct: Reconstruct) => Reconstruct>> = {
  slow: (reconstruct) => (windows, count) => {
    const end = performance.now() + 400
    while (performance.now() < end);
    return reconstruct(windows, count)
  },
  endless: () => () => { for (;;); },
  hungry: () => () => {
    const eaten: number[][] = []
    for (;;) eaten.push(Array.from({ length: 100_000 }, (_, i) => i / 3))
  },
}

export async function loadModels ({ modelsDir }: Pick<Config, 'modelsDir'>): Promise<LoadedModels> {
  const written = JSON.parse(await readFile(modelsDir, 'utf8')) as WrittenModel[]
  const models = written.map(({ subspace: { mean, directions, ...sizes }, ...identity }) => {
    const { name, detector } = identity.manifest
    const subspace = { ...sizes, mean: Float64Array.from(mean), directions: Float64Array.from(directions) }
    const autoencoder = subspaceAutoencoder(subspace, detector.channels.length)
    const burden = BURDENS[name]
    return { ...identity, autoencoders: [burden === undefined ? autoencoder : { reconstruct: burden(autoencoder.reconstruct) }] }
  })
  return { models, backend: { name: 'cpu', version: '4.22.0' } }
}
