// Recognises the bodies of engines among those of API clients.

/** An engine's body has a dozen short members. A larger body is a series of an API client, and is not searched. */
export const MAX_TASK_BYTES = 65_536

/**
 * The parsed body of an engine. API clients do not send its members.
 * @returns undefined for other bodies: the worker threads parse them
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
