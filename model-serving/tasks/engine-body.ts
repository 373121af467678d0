// Tells an engine's body from those of API clients, before anything of the engine's side is needed.

/** An engine's body has a dozen short members; a series of an API client is not even looked through. */
export const MAX_TASK_BYTES = 65_536

/**
 * The body of an engine, where it is one: API clients send no such members.
 * @returns undefined for everything else, which is then read where it is scored
 */
export function engineBody (body: Buffer): Record<string, unknown> | undefined {
  if (body.length > MAX_TASK_BYTES || !body.includes('"task"')) return undefined
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isEngineBody(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isEngineBody = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && 'task' in value && ('s3_host' in value || 'callback_url' in value)
