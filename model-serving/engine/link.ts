// The interface of a connection to an engine in any dialect, and its time limits.
import type { FastifyBaseLogger } from 'fastify'

/** Longest pause between retries: an engine knows this service within 15 seconds of the engine's start. */
const MAX_RETRY_MS = 10_000

export const ANNOUNCE_TIMEOUT_MS = 15_000
export const PING_TIMEOUT_MS = 5_000

/** An engine in GET /status. */
export interface EngineState {
  readonly url: string
  /** announcing: the engine does not know this service yet; withdrawn: the service has ended its entry. */
  readonly state: 'announcing' | 'announced' | 'withdrawn'
  /** Why the announcement or the heartbeat fails; null if it does not. */
  readonly problem: string | null
}

export interface EngineLink {
  describe (): EngineState
  /** Announces the service and sends heartbeats until the signal aborts. Never rejects. */
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

/** Endless and exponential, with jitter: even the longest pause differs between services that started together. */
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
