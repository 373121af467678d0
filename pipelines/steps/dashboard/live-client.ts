// One browser: what waits to be sent to it, and whether it takes it. A slow one loses frames; what is kept for it stays
// small.
import type { WebSocket } from '@fastify/websocket'

/** What the fan-out needs of a socket. */
export type ClientSocket = Pick<WebSocket, 'bufferedAmount' | 'send' | 'ping' | 'close' | 'terminate' | 'on'>

export interface ClientLimits {
  /** Bytes that may wait in a socket before frames are left out. */
  readonly maxBufferedBytes: number
  /** Verdicts, gaps, incidents and annotations, each, that may wait for the next frame. */
  readonly maxPending: number
  /** After which time a socket that takes nothing is closed, milliseconds. */
  readonly stalledMs: number
}

/** Parts of a frame as JSON, made once for all clients. */
export type FramePart = 'verdicts' | 'gaps' | 'incidents' | 'annotations'

const PARTS: readonly FramePart[] = ['verdicts', 'gaps', 'incidents', 'annotations']

export class LiveClient {
  readonly socket: ClientSocket
  readonly #limits: ClientLimits
  /** series → its newest state. */
  readonly #fleet = new Map<string, string>()
  readonly #pending: Record<FramePart, string[]> = { verdicts: [], gaps: [], incidents: [], annotations: [] }
  #skipped = 0
  #stalledSince: number | undefined
  /** Whose verdicts it gets, all of them. */
  follows: string | undefined
  /** Then it gets incidents alone. */
  paused = false
  /** Has it answered the last ping? */
  alive = true

  constructor (socket: ClientSocket, limits: ClientLimits) {
    this.socket = socket
    this.#limits = limits
  }

  /** Only the newest state of a series counts. */
  show (series: string, json: string): void {
    if (!this.paused) this.#fleet.set(series, json)
  }

  add (part: FramePart, json: string): void {
    const list = this.#pending[part]
    list.push(json)
    if (list.length <= this.#limits.maxPending) return
    list.shift()
    this.#skipped++
  }

  /** Whether it gets every verdict of the series. */
  wants (series: string): boolean {
    return this.follows === series && !this.paused
  }

  /** Another series, or none: what waits of the last one is of no use. */
  follow (series: string | undefined): void {
    this.follows = series
    this.#pending.verdicts.length = 0
    this.#pending.gaps.length = 0
  }

  /**
   * Sends what waits, in one frame, unless the socket is full.
   * @returns false where it has been full for too long
   */
  flush (now: number): boolean {
    if (this.socket.bufferedAmount > this.#limits.maxBufferedBytes) {
      this.#stalledSince ??= now
      // It reads the history again, once it can.
      this.#skipped += this.#pending.verdicts.length + this.#pending.gaps.length
      this.#pending.verdicts.length = 0
      this.#pending.gaps.length = 0
      return now - this.#stalledSince < this.#limits.stalledMs
    }
    this.#stalledSince = undefined
    const frame = this.#frame()
    if (frame !== undefined) this.socket.send(frame)
    return true
  }

  #frame (): string | undefined {
    const parts = PARTS.filter((part) => this.#pending[part].length > 0).map((part) =>
      `"${part}":[${this.#pending[part].join(',')}]`
    )
    if (this.#fleet.size > 0) parts.push(`"fleet":[${[...this.#fleet.values()].join(',')}]`)
    if (this.#skipped > 0) parts.push(`"skipped":${this.#skipped}`)
    if (parts.length === 0) return undefined
    for (const part of PARTS) this.#pending[part].length = 0
    this.#fleet.clear()
    this.#skipped = 0
    return `{"type":"frame",${parts.join(',')}}`
  }
}
