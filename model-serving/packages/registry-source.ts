// The models of a registry. Its aliases are followed.
import type { AliasState } from '../../adapters/registry/aliases.ts'
import type { Registry } from '../../adapters/registry/registry.ts'
import type { VersionRef } from './catalogue.ts'
import type { ModelSource } from './model-source.ts'

export function registrySource (registry: Registry): ModelSource {
  return {
    location: registry.location,
    strict: false,
    async list () {
      return (await registry.list()).map(({ name, versions, aliases: { live, shadow } }) => {
        const ref = (found: AliasState['earlier']): VersionRef | undefined =>
          found === undefined ? undefined : { name, version: String(found.version), digest: found.digest }
        return {
          name,
          versions: versions.map(({ version, digest, publishedAt }) => ({
            name,
            version: String(version),
            digest,
            publishedAt: Date.parse(publishedAt),
          })),
          live: ref(live.current),
          earlier: ref(live.earlier),
          shadow: ref(shadow.current),
        }
      })
    },
    fetch: async ({ name, digest }) => registry.fetchArchive(name, digest),
    where: ({ name, version }) => `${name}@${version} of ${registry.location}`,
    watch: (onChange) => registry.watch(onChange),
    close: () => { registry.close() },
  }
}
