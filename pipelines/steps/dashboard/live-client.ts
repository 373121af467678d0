// One browser, and what waits to be sent to it. A slow browser loses frames, so its queue stays small.
import type { WebSocket } from '@fastify/websocket'

/** The part of a socket that the fan-out uses. */
export type ClientSocket = Pick<WebSocket, 'bufferedAmount' | 'send' | 'ping' | 'close' | 'terminate' | 'on'>

export interface ClientLimits {
  /** Bytes that may wait in a socket; above, frames are dropped. */
  readonly maxBufferedBytes: number
  /** Items of each part that may wait for the next frame. */
  readonly maxPending: number
  /** Milliseconds after which a socket that takes nothing is closed. */
  readonly stalledMs: number
}

/** Parts of a frame, as JSON that is made once for all clients. */
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
  /** The series of which it gets every verdict. */
  follows: string | undefined
  /** While paused, it gets incidents only. */
  paused = false
  /** Whether it has answered the last ping. */
  alive = true

  constructor (socket: ClientSocket, limits: ClientLimits) {
    this.socket = socket
    this.#limits = limits
  }

  /** Sets the newest state of a series, which replaces an older one in the next frame. */
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

  /** Follows another series, or none. Drops what waits for the previous one. */
  follow (series: string | undefined): void {
    this.follows = series
    this.#pending.verdicts.length = 0
    this.#pending.gaps.length = 0
  }

  /**
   * Sends everything that waits in one frame, unless the socket is full.
   * @returns false if the socket has been full for too long
   */
  flush (now: number): boolean {
    if (this.socket.bufferedAmount > this.#limits.maxBufferedBytes) {
      this.#stalledSince ??= now
      // The page reads the history again once it can.
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
