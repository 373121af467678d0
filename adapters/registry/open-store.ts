// Opens a registry by its location: `s3://bucket/prefix`, or a folder.
import { Problem } from '../../core/errors.ts'
import { parseLocation, storeAccess, type StoreVariables } from '../s3/access.ts'
import type { BucketSettings } from './bucket-store.ts'
import { folderStore } from './folder-store.ts'
import type { RegistryStore } from './store.ts'

/** The registry's location if MODEL_REGISTRY is not set. */
export const DEFAULT_REGISTRY = '.registry'

/**
 * The bucket and prefix of `s3://bucket/prefix`, with server and keys.
 * @param what the setting or flag that holds the location, for error messages
 * @throws Problem invalid-settings: names the variable that is missing or wrong
 */
export function bucketSettings (what: string, location: string, variables: StoreVariables): BucketSettings {
  const place = parseLocation(location)
  if (place === undefined) {
    throw new Problem('invalid-settings', `${what} is "${location}"; write s3://bucket or s3://bucket/prefix.`)
  }
  const prefix = place.path.replace(/^\/+|\/+$/g, '')
  return {
    ...storeAccess(variables, `${what} is "${location}"`),
    bucket: place.bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
  }
}

/**
 * Opens the store. Loads MinIO's client only for a bucket: loading takes a fifth of a second.
 * @throws Problem invalid-settings
 */
export async function openStore (what: string, location: string, variables: StoreVariables): Promise<RegistryStore> {
  if (!/^\w+:\/\//.test(location)) return folderStore(location)
  const settings = bucketSettings(what, location, variables)
  return (await import('./bucket-store.ts')).bucketStore(settings)
}
