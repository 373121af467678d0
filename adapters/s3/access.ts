// Where an S3 store is and who asks, as the variables say it that DVC and other S3 clients read, too.
import { z } from 'zod'
import { requiredVariables, serverUrl } from '../settings/variables.ts'

export interface StoreAccess {
  /** The server, without a path. */
  readonly endpoint: URL
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken?: string
  readonly region: string
}

export const DEFAULT_REGION = 'us-east-1'

export const STORE_SETTINGS = {
  AWS_ENDPOINT_URL: z.string().optional().describe('The S3 server of the registry, for example http://minio:9000.'),
  AWS_ACCESS_KEY_ID: z.string().optional().meta({ secret: true, description: 'Its access key.' }),
  AWS_SECRET_ACCESS_KEY: z.string().optional().meta({ secret: true, description: 'Its secret key.' }),
  AWS_SESSION_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'A token that belongs to them, where they are temporary.',
  }),
  AWS_REGION: z.string().optional().describe(`Its region. Default: AWS_DEFAULT_REGION, then ${DEFAULT_REGION}.`),
  AWS_DEFAULT_REGION: z.string().optional().describe('Its region, where AWS_REGION is not set.'),
}
export type StoreVariables = Readonly<z.output<z.ZodObject<typeof STORE_SETTINGS>>>

/**
 * @param reason why a store is needed, as the rest of a sentence
 * @throws Problem invalid-settings naming the variable that is missing or wrong
 */
export function storeAccess (env: StoreVariables, reason?: string): StoreAccess {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey } = requiredVariables(
    env,
    ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    reason
  )
  const { AWS_SESSION_TOKEN: sessionToken, AWS_REGION, AWS_DEFAULT_REGION } = env
  return {
    endpoint: serverUrl('AWS_ENDPOINT_URL', AWS_ENDPOINT_URL),
    accessKey,
    secretKey,
    ...(sessionToken && { sessionToken }),
    region: AWS_REGION || AWS_DEFAULT_REGION || DEFAULT_REGION,
  }
}

const LOCATION = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s

/**
 * The bucket and the path of a location; undefined if the text is something else.
 * @example
 * parseLocation('s3://plant/raw/2026') // { bucket: 'plant', path: 'raw/2026' }
 */
export function parseLocation (text: string): { readonly bucket: string, readonly path: string } | undefined {
  const [, bucket, path = ''] = LOCATION.exec(text) ?? []
  return bucket === undefined ? undefined : { bucket, path }
}
