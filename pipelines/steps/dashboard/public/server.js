// @ts-check
// The server: requests, and the socket for live messages. The socket reconnects after an outage.

/** @typedef {import('./types.d.ts').Frame} Frame */

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** Close code of a socket without a valid key. */
const UNAUTHORIZED = 4401

const KEY = 'dashboard-key'

/** The user enters the key once per tab. It is never part of an address. */
const storedKey = () => {
  try {
    return window.sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined
  }
}

let key = storedKey()

/** @param {string} typed */
export function setKey (typed) {
  key = typed
  try {
    window.sessionStorage.setItem(KEY, typed)
  } catch {
    // Storage can be forbidden. Then the key is lost with the page.
  }
}

export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor (message, status) {
    super(message)
    this.status = status
  }
}

/**
 * The answer of the server. A failure is an error with a sentence.
 * @param {string} path below live/
 * @param {unknown} [body] to post
 * @returns {Promise<any>}
 */
export async function ask (path, body) {
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  const response = await fetch(new URL(`live/${path}`, document.baseURI), {
    headers,
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const answer = await response.json().catch(() => undefined)
  if (!response.ok) {
    throw new Refusal(answer?.detail ?? `The server answered with status ${response.status}.`, response.status)
  }
  return answer
}

/** @typedef {{ state: 'connecting' | 'live' | 'waiting' | 'locked', retryAt?: number }} Connection */

export class Socket {
  /** @type {WebSocket | undefined} */
  #socket
  #wait = FIRST_WAIT_MS
  #timer = 0
  /** @type {Map<string, object>} messages to send again after an outage, by type */
  #sent = new Map()
  #onFrame
  #onState

  /**
   * @param {(frame: Frame) => void} onFrame
   * @param {(connection: Connection) => void} onState
   */
  constructor (onFrame, onState) {
    this.#onFrame = onFrame
    this.#onState = onState
    window.addEventListener('online', () => { this.open() })
  }

  /** Connects at once. */
  open () {
    window.clearTimeout(this.#timer)
    if (this.#socket !== undefined && this.#socket.readyState <= WebSocket.OPEN) return
    this.#onState({ state: 'connecting' })
    const address = new URL('live/socket', document.baseURI)
    address.protocol = address.protocol.replace('http', 'ws')
    const socket = this.#socket = new WebSocket(address)
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ type: 'hello', ...(key !== undefined && { key }) }))
    })
    socket.addEventListener('message', ({ data }) => {
      this.#take(JSON.parse(data))
    })
    socket.addEventListener('close', ({ code }) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (code === UNAUTHORIZED) this.#onState({ state: 'locked' })
      else this.#retry()
    })
  }

  /**
   * @param {{ readonly type: string, readonly series?: string | null, readonly paused?: boolean }} message the newest
   * of each type is sent again after an outage
   */
  send (message) {
    this.#sent.set(message.type, message)
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  /** @param {Frame} frame */
  #take (frame) {
    if (frame.type === 'welcome') {
      this.#wait = FIRST_WAIT_MS
      for (const message of this.#sent.values()) this.#socket?.send(JSON.stringify(message))
      this.#onState({ state: 'live' })
    }
    this.#onFrame(frame)
  }

  #retry () {
    // Random, so that pages do not reconnect at the same moment.
    const wait = this.#wait * (0.75 + Math.random() / 2)
    this.#wait = Math.min(LONGEST_WAIT_MS, 2 * this.#wait)
    this.#onState({ state: 'waiting', retryAt: Date.now() + wait })
    this.#timer = window.setTimeout(() => { this.open() }, wait)
  }
}
