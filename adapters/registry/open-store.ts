// Opens a registry by its location: `s3://bucket/prefix`, or a folder.
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { BucketSettings } from './bucket-store.ts'
import { folderStore } from './folder-store.ts'
import type { RegistryStore } from './store.ts'

/** The registry's location if MODEL_REGISTRY is not set. */
export const DEFAULT_REGISTRY = '.registry'

/** The same variables as DVC and other S3 clients read. */
export const BUCKET_SETTINGS = {
  AWS_ENDPOINT_URL: z.string().optional().describe('The S3 server of the registry, for example http://minio:9000.'),
  AWS_ACCESS_KEY_ID: z.string().optional().meta({ secret: true, description: 'Its access key.' }),
  AWS_SECRET_ACCESS_KEY: z.string().optional().meta({ secret: true, description: 'Its secret key.' }),
  AWS_SESSION_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'A token that belongs to them, where they are temporary.',
  }),
  AWS_REGION: z.string().optional().describe('Its region. Default: AWS_DEFAULT_REGION, then us-east-1.'),
  AWS_DEFAULT_REGION: z.string().optional().describe('Its region, where AWS_REGION is not set.'),
}
export type BucketAccess = Readonly<z.output<z.ZodObject<typeof BUCKET_SETTINGS>>>

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/

/**
 * The bucket and prefix of `s3://bucket/prefix`, with server and keys.
 * @param what the setting or flag that holds the location, for error messages
 * @throws Problem invalid-settings: names the variable that is missing or wrong
 */
export function bucketSettings (what: string, location: string, access: BucketAccess): BucketSettings {
  const [, bucket, path = ''] = BUCKET.exec(location) ?? []
  if (bucket === undefined) {
    throw new Problem('invalid-settings', `${what} is "${location}"; write s3://bucket or s3://bucket/prefix.`)
  }
  const variables = ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const
  const [endpoint, accessKey, secretKey] = variables.map((name) => {
    const value = access[name]
    if (value) return value
    throw new Problem(
      'invalid-settings',
      `${name} is not set, and ${what} is "${location}"; set ${variables.join(', ')}.`
    )
  }) as [string, string, string]
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new Problem('invalid-settings', 'AWS_ENDPOINT_URL is not a URL such as http://127.0.0.1:9000.')
  }
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const { AWS_SESSION_TOKEN: sessionToken, AWS_REGION, AWS_DEFAULT_REGION } = access
  return {
    endpoint: new URL(endpoint),
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    accessKey,
    secretKey,
    ...(sessionToken && { sessionToken }),
    region: AWS_REGION || AWS_DEFAULT_REGION || 'us-east-1',
  }
}

/**
 * Opens the store. Loads MinIO's client only for a bucket: loading takes a fifth of a second.
 * @throws Problem invalid-settings
 */
export async function openStore (what: string, location: string, access: BucketAccess): Promise<RegistryStore> {
  if (!/^\w+:\/\//.test(location)) return folderStore(location)
  const settings = bucketSettings(what, location, access)
  return (await import('./bucket-store.ts')).bucketStore(settings)
}
