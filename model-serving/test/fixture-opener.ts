// What the worker threads of the tests open instead of model packages: the models that fixture.ts wrote down.
import { subspaceAutoencoder } from '../../core/linear/linear.ts'
import type { Reconstruct } from '../../core/scoring/reconstruction-error.ts'
import type { Subspace } from '../../core/linear/subspace.ts'
import type { OpenModel } from '../packages/identity.ts'

interface WrittenModel extends Pick<OpenModel, 'manifest' | 'digest' | 'goldenDifference'> {
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

export async function openPackage (_: string, bytes: Uint8Array): Promise<OpenModel> {
  const { subspace: { mean, directions, ...sizes }, ...identity } = JSON.parse(
    Buffer.from(bytes).toString('utf8')
  ) as WrittenModel
  const { name, detector } = identity.manifest
  const subspace = { ...sizes, mean: Float64Array.from(mean), directions: Float64Array.from(directions) }
  const autoencoder = subspaceAutoencoder(subspace, detector.channels.length)
  const burden = BURDENS[name]
  return {
    ...identity,
    engines: ['cpu'],
    autoencoders: [burden === undefined ? autoencoder : { reconstruct: burden(autoencoder.reconstruct) }],
    dispose () {},
  }
}
