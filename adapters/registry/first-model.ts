// The model that a program trains by itself where a registry has none that it can read.
import type { Problem } from '../../core/errors.ts'
import { isOutdated } from '../tfjs/package-files.ts'
import type { StoreVariables } from '../s3/access.ts'
import { unpackArchive } from './archive.ts'
import { openStore } from './open-store.ts'
import { Registry } from './registry.ts'

/** The wind farm's model. */
const FIRST_MODEL = 'wind-turbine'

/**
 * Whether the farm's model is to be trained: the registry has no model, or an earlier version of the program wrote the
 * live version of the farm's. Models that somebody else published are never replaced.
 * @param what the setting or flag that holds the location, for error messages
 * @throws Problem invalid-settings, registry-unavailable
 */
export async function needsFirstModel (what: string, location: string, variables: StoreVariables): Promise<boolean> {
  const store = await openStore(what, location, variables)
  try {
    const registry = new Registry(store, Date.now)
    const models = await registry.list()
    if (models.length === 0) return true
    const live = models.find(({ name }) => name === FIRST_MODEL)?.aliases.live.current
    if (live === undefined) return false
    // Not fetch(): it refuses an older format.
    return isOutdated(await unpackArchive(FIRST_MODEL, await registry.fetchArchive(FIRST_MODEL, live.digest)))
  } catch (error) {
    // Whoever serves the registry tells what is wrong with a damaged package.
    if ((error as Partial<Problem>).code === 'invalid-model-package') return false
    throw error
  } finally {
    store.close()
  }
}
