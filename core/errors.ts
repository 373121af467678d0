// Every failure that a caller can act on: one table, one class. Codes are stable and never reused; docs/ERRORS.md lists
// them.

/** Code → HTTP status, title (constant per code), and whether the same request may succeed later. */
export const PROBLEMS = {
  'malformed-body': { status: 400, title: 'The body cannot be parsed', retryable: false },
  unauthorized: { status: 401, title: 'There is no valid API key', retryable: false },
  forbidden: { status: 403, title: 'The API key does not allow this', retryable: false },
  'engine-tasks-off': { status: 403, title: 'No tasks of engines are taken here', retryable: false },
  'not-found': { status: 404, title: 'No such route', retryable: false },
  'unknown-model': { status: 404, title: 'No such model', retryable: false },
  'unknown-version': { status: 404, title: 'The model has no such version', retryable: false },
  'unknown-incident': { status: 404, title: 'No such incident', retryable: false },
  'unknown-job': { status: 404, title: 'No such job', retryable: false },
  'not-acceptable': { status: 406, title: 'None of the accepted media types can be produced', retryable: false },
  'version-conflict': { status: 409, title: 'The version exists and holds another package', retryable: false },
  'alias-conflict': { status: 409, title: 'The alias was changed by somebody else at the same time', retryable: false },
  'no-earlier-version': { status: 409, title: 'There is no version to roll back to', retryable: false },
  'no-registry': { status: 409, title: 'The service has no registry', retryable: false },
  'idempotency-conflict': {
    status: 409,
    title: 'A request with this idempotency key is still being worked on',
    retryable: true,
  },
  'body-too-large': { status: 413, title: 'The body exceeds the limit', retryable: false },
  'memory-exceeded': { status: 413, title: 'The request needs more memory than it may have', retryable: false },
  'unsupported-media-type': {
    status: 415,
    title: 'The media type or content encoding of the body is not supported',
    retryable: false,
  },
  'invalid-request': { status: 422, title: 'The request does not match its schema', retryable: false },
  'model-required': { status: 422, title: 'Several served models match the posted channels', retryable: false },
  'unknown-channel': { status: 422, title: 'A channel is not one of the model\'s', retryable: false },
  'missing-channel': { status: 422, title: 'A channel that the model needs is missing', retryable: false },
  'channel-length-mismatch': { status: 422, title: 'Channels differ in length', retryable: false },
  'series-too-short': { status: 422, title: 'The series is shorter than the model needs', retryable: false },
  'series-too-long': { status: 422, title: 'The series is longer than the limit', retryable: false },
  'timestamps-not-ascending': { status: 422, title: 'Timestamps are not strictly ascending', retryable: false },
  'invalid-timestamp': { status: 422, title: 'A timestamp cannot be read', retryable: false },
  'invalid-value': { status: 422, title: 'A value is not a number', retryable: false },
  'interval-mismatch': { status: 422, title: 'The sampling interval differs from the model\'s', retryable: false },
  'invalid-table': { status: 422, title: 'The table cannot be read', retryable: false },
  'no-training-data': { status: 422, title: 'There is too little data to train on', retryable: false },
  'package-refused': { status: 422, title: 'The model package cannot be published', retryable: false },
  'invalid-settings': { status: 422, title: 'The settings do not match their schema', retryable: false },
  'too-many-requests': { status: 429, title: 'Too many requests in a minute', retryable: true },
  'invalid-model-package': { status: 500, title: 'The model package cannot be used', retryable: false },
  'golden-scores-differ': {
    status: 500,
    title: 'The model does not reproduce its golden scores here',
    retryable: false,
  },
  'sensitivity-differs': {
    status: 500,
    title: 'The model is not as sensitive as its sensitivity sheet says',
    retryable: false,
  },
  'invalid-state': { status: 500, title: 'The saved state cannot be used', retryable: false },
  'backend-unavailable': { status: 500, title: 'The chosen TensorFlow.js backend is not available', retryable: false },
  'internal-error': { status: 500, title: 'An unexpected error', retryable: false },
  'not-ready': { status: 503, title: 'The service is not ready', retryable: true },
  'registry-unavailable': { status: 503, title: 'The model registry cannot be reached', retryable: true },
  overloaded: { status: 503, title: 'Too many requests are waiting', retryable: true },
  'server-unavailable': { status: 503, title: 'A server that is needed does not answer', retryable: true },
  'log-unavailable': { status: 503, title: 'The log of the stream does not take records now', retryable: true },
  'stream-saturated': { status: 429, title: 'More observations are waiting to be kept than may wait', retryable: true },
  'compute-timeout': { status: 503, title: 'The computation took too long', retryable: false },
} as const satisfies Record<string, { status: number, title: string, retryable: boolean }>

export type ProblemCode = keyof typeof PROBLEMS

/** One wrong place in the input: a JSON pointer (RFC 6901), the fault, the value found and the value wanted. */
export interface ProblemItem {
  readonly pointer: string
  readonly detail: string
  readonly got?: unknown
  readonly want?: unknown
}

/**
 * A JSON pointer (RFC 6901) to a place in the input.
 * @example
 * pointer('channels', 'a/b', 3) // '/channels/a~1b/3'
 */
export function pointer (...path: ReadonlyArray<PropertyKey>): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A failure with a stable code; `message` names the field and the remedy. Check `error.code`, not the class. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly items: readonly ProblemItem[]
  /** Members of the problem document besides the standard ones, e.g. `limit` or `expected`. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor (
    code: ProblemCode,
    message: string,
    details: { items?: readonly ProblemItem[], extensions?: Record<string, unknown>, cause?: unknown } = {}
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.items = details.items ?? []
    this.extensions = details.extensions ?? {}
  }

  get status (): number {
    return PROBLEMS[this.code].status
  }
}
