// What the log of the service says, and what it must never say: keys and passwords stay out of it, whatever is logged.
import type { FastifyServerOptions } from 'fastify'

/** Headers and members that hold secrets. */
const SECRETS = [
  'authorization',
  'Authorization',
  'x-api-key',
  'ocp-apim-subscription-key',
  'cookie',
  's3_access_key_id',
  's3_secret_access_key',
  'secretKey',
  'accessKey',
  'API_KEYS',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'sessionToken',
]

/** How deep they are found, e.g. 3 for `req.headers.authorization`. Each level costs 10 µs a line. */
const DEPTH = 3
/** Causes of causes that are told. */
const MAX_CAUSES = 5

const REDACTED = SECRETS.flatMap((name) =>
  Array.from({ length: DEPTH }, (_, depth) => `${Array(depth).fill('*').join('.')}["${name}"]`)
)

/** Fastify's logger setting, of the service and of everything that serves. */
export function loggerOptions (level: string) {
  return {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
  } satisfies FastifyServerOptions['logger']
}

/**
 * Nothing but what an error says: HTTP and S3 clients hang requests with headers and whole configurations on theirs.
 */
function describeError (error: unknown, causes = 0): { type: string, message: string, stack: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: '' }
  const { name, message, stack = '', cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    type: name,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(cause !== undefined && causes < MAX_CAUSES && { cause: describeError(cause, causes + 1) }),
  }
}
