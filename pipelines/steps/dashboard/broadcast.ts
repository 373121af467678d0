// The fan-out to browsers: at most twenty frames a second each, and none while a socket is full. So the cost of a slow
// browser is bounded.
import type { MessageType } from '../../messages/messages.ts'
import type { LiveEvent, LiveFeed } from './live-feed.ts'
import { type ClientLimits, type ClientSocket, type FramePart, LiveClient } from './live-client.ts'

export interface BroadcastLimits extends ClientLimits {
  readonly maxClients: number
  readonly frameMs: number
  readonly pingMs: number
}

const BROADCAST_LIMITS: BroadcastLimits = {
  maxClients: 200,
  frameMs: 50,
  pingMs: 20_000,
  maxBufferedBytes: 256 * 1024,
  maxPending: 500,
  stalledMs: 60_000,
}

/** Close codes of RFC 6455: going away, policy violation, try again later. The last one is our own. */
export const CLOSE = { goingAway: 1001, policy: 1008, tryLater: 1013, unauthorized: 4401 } as const

/** The part of a frame that holds a message. */
const PARTS: Partial<Record<MessageType, FramePart>> = {
  'verdict.v1': 'verdicts',
  'gap.v1': 'gaps',
  'incident.opened.v1': 'incidents',
  'incident.updated.v1': 'incidents',
  'incident.closed.v1': 'incidents',
  'incident.annotated.v1': 'annotations',
}

/** Parts for browsers that follow the series. */
const FOLLOWED: ReadonlySet<FramePart> = new Set(['verdicts', 'gaps'])

/** Time for a browser to answer a close. */
const CLOSE_MS = 500

export class Broadcast {
  readonly #clients = new Set<LiveClient>()
  readonly #limits: BroadcastLimits
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #stop: () => void

  constructor (feed: Pick<LiveFeed, 'listen'>, limits: Partial<BroadcastLimits> = {}) {
    this.#limits = { ...BROADCAST_LIMITS, ...limits }
    this.#stop = feed.listen((event) => { this.#pass(event) })
    this.#timers = [
      setInterval(() => { this.#flush() }, this.#limits.frameMs),
      setInterval(() => { this.#ping() }, this.#limits.pingMs),
    ]
  }

  get size (): number {
    return this.#clients.size
  }

  /** @returns undefined if there are too many browsers; then it closes the socket */
  add (socket: ClientSocket): LiveClient | undefined {
    if (this.#clients.size >= this.#limits.maxClients) {
      socket.close(CLOSE.tryLater, 'too many pages are open; try again later')
      return undefined
    }
    const client = new LiveClient(socket, this.#limits)
    this.#clients.add(client)
    socket.on('close', () => { this.#clients.delete(client) })
    socket.on('pong', () => { client.alive = true })
    return client
  }

  /** Tells all browsers to come back later, and terminates sockets that do not answer. */
  async close (): Promise<void> {
    this.#stop()
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#clients.size === 0) return
    const closed = [...this.#clients].map(async ({ socket }) =>
      new Promise<void>((resolve) => { socket.on('close', () => { resolve() }) })
    )
    for (const { socket } of this.#clients) socket.close(CLOSE.goingAway, 'the dashboard ends')
    const timer = setTimeout(() => { for (const { socket } of this.#clients) socket.terminate() }, CLOSE_MS)
    await Promise.all(closed)
    clearTimeout(timer)
  }

  #pass ({ message, entry }: LiveEvent): void {
    if (this.#clients.size === 0) return
    const json = once(() => JSON.stringify(message.data))
    const state = once(() => JSON.stringify(entry))
    const part = PARTS[message.type]
    for (const client of this.#clients) {
      if (entry !== undefined) client.show(entry.series, state())
      if (part !== undefined && (!FOLLOWED.has(part) || client.wants(message.data.series))) client.add(part, json())
    }
  }

  #flush (): void {
    const now = performance.now()
    for (const client of this.#clients) {
      if (!client.flush(now)) client.socket.terminate()
    }
  }

  #ping (): void {
    for (const client of this.#clients) {
      // A full socket cannot answer: flush() decides about it.
      if (!client.alive && client.socket.bufferedAmount === 0) client.socket.terminate()
      client.alive = false
      client.socket.ping()
    }
  }
}

/** Calls `make` at the first use only. */
function once (make: () => string): () => string {
  let made: string | undefined
  return () => (made ??= make())
}
