// What an S3 store, or its client, says when it refuses: codes → the faults that callers tell apart.

export type StoreFault =
  | 'no-object'
  | 'exists'
  | 'no-bucket'
  | 'denied'
  | 'unknown-key'
  | 'wrong-secret'
  | 'wrong-region'
  | 'wrong-clock'
  | 'redirect'
  | 'bad-bucket-name'
  | 'bad-object-name'

const FAULTS: Readonly<Record<string, StoreFault>> = {
  NoSuchKey: 'no-object',
  NotFound: 'no-object',
  PreconditionFailed: 'exists',
  ConditionalRequestConflict: 'exists',
  NoSuchBucket: 'no-bucket',
  AccessDenied: 'denied',
  InvalidAccessKeyId: 'unknown-key',
  SignatureDoesNotMatch: 'wrong-secret',
  AuthorizationHeaderMalformed: 'wrong-region',
  RequestTimeTooSkewed: 'wrong-clock',
  MovedPermanently: 'redirect',
  PermanentRedirect: 'redirect',
  TemporaryRedirect: 'redirect',
  InvalidBucketNameError: 'bad-bucket-name',
  InvalidObjectNameError: 'bad-object-name',
}

/** The fault that an error of the client means; undefined: the store may not say it again. */
export function faultOf (error: unknown): StoreFault | undefined {
  const { code = '', name = '' } = error as { code?: string, name?: string }
  return FAULTS[code] ?? FAULTS[name]
}

/** What to say of an error in a sentence. The error itself stays behind: clients hang secrets on it. */
export function reasonOf (error: unknown): string {
  const { code = 'unknown', message } = error as { code?: string, message?: string }
  return message || code
}
