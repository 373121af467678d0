// Settings of the log. Keys and passwords are removed from every line.
import type { FastifyServerOptions } from 'fastify'

/** Headers and members that contain secrets. */
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

/** Secrets are found down to this depth, e.g. 3 for `req.headers.authorization`. Each level costs 10 µs per line. */
const DEPTH = 3
/** Length of the chain of causes in a log line. */
const MAX_CAUSES = 5

const REDACTED = SECRETS.flatMap((name) =>
  Array.from({ length: DEPTH }, (_, depth) => `${Array(depth).fill('*').join('.')}["${name}"]`)
)

/** Fastify's logger setting, for the service and for every step that serves HTTP. */
export function loggerOptions (level: string) {
  return {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
  } satisfies FastifyServerOptions['logger']
}

/** Only these members: HTTP and S3 clients attach requests with headers and whole configurations to their errors. */
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
