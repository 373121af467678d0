// What every connection to an engine is, whichever dialect it speaks, and how long it waits.
import type { FastifyBaseLogger } from 'fastify'

/** Longest pause before an engine is asked again: it sees this service within 15 seconds of its own start. */
const MAX_RETRY_MS = 10_000

export const ANNOUNCE_TIMEOUT_MS = 15_000
export const PING_TIMEOUT_MS = 5_000

/** An engine as GET /status tells of it. */
export interface EngineState {
  readonly url: string
  /** announcing until the engine knows this service; withdrawn once it was told of the end. */
  readonly state: 'announcing' | 'announced' | 'withdrawn'
  /** What keeps it from being announced, or from answering its heartbeat. */
  readonly problem: string | null
}

export interface EngineLink {
  describe (): EngineState
  /** Announces and keeps the engine informed until the signal aborts. Never rejects. */
  run (signal: AbortSignal): Promise<void>
  /** Tells the engine that the service ends; called once run() has ended. */
  withdraw (timeoutMs: number): Promise<void>
}

export interface LinkOptions {
  readonly url: string
  readonly retryDelayMs: number
  readonly pingIntervalMs: number
  readonly log: FastifyBaseLogger
  /** In [0, 1). */
  readonly random: () => number
}

/** Endless, exponential, with jitter: even the longest pause differs between services that started together. */
export function retryOptions ({ retryDelayMs, random }: Pick<LinkOptions, 'retryDelayMs' | 'random'>) {
  return {
    retries: Infinity,
    factor: 2,
    randomize: true,
    minTimeout: retryDelayMs,
    maxTimeout: MAX_RETRY_MS * (0.7 + 0.3 * random()),
  }
}

export const messageOf = (error: unknown): string => {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
