// GET /live/socket: a browser sends its key, then the series that it follows; it gets frames until it leaves.
import type { WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Broadcast, CLOSE } from './broadcast.ts'
import type { LiveClient } from './live-client.ts'

/** Time for a browser to send its first message. */
const HELLO_MS = 10_000
/** Messages of a browser per minute: people click, they do not stream. */
const MAX_MESSAGES = 600

const HelloSchema = z.strictObject({ type: z.literal('hello'), key: z.string().max(1000).optional() })
const ClientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('follow'), series: z.string().min(1).max(200).nullable() }),
  z.strictObject({ type: z.literal('pause'), paused: z.boolean() }),
])

export type Admits = (key: string | undefined) => boolean

/** Checks the key, which comes in the first message: addresses end up in logs and histories. */
export function openSocket (socket: WebSocket, request: FastifyRequest, broadcast: Broadcast, admits: Admits): void {
  if (!isOwnPage(request)) return socket.close(CLOSE.policy, 'only the dashboard\'s own page may connect')
  const late = setTimeout(() => { socket.close(CLOSE.unauthorized, 'say hello first') }, HELLO_MS)
  socket.on('close', () => { clearTimeout(late) })
  socket.once('message', (data: Buffer) => {
    clearTimeout(late)
    const hello = HelloSchema.safeParse(parsed(data))
    if (!hello.success) return socket.close(CLOSE.policy, 'the first message must be {"type":"hello"}')
    if (!admits(hello.data.key)) return socket.close(CLOSE.unauthorized, 'there is no valid API key')
    const client = broadcast.add(socket)
    if (client === undefined) return
    socket.send('{"type":"welcome"}')
    takeMessages(socket, client)
  })
}

function takeMessages (socket: WebSocket, client: LiveClient): void {
  let minute = 0
  let count = 0
  socket.on('message', (data: Buffer) => {
    const now = Math.floor(performance.now() / 60_000)
    count = now === minute ? count + 1 : 1
    minute = now
    const message = ClientMessageSchema.safeParse(parsed(data))
    if (!message.success || count > MAX_MESSAGES) {
      return socket.close(CLOSE.policy, message.success ? 'too many messages' : 'there is no such message')
    }
    if (message.data.type === 'follow') client.follow(message.data.series ?? undefined)
    else client.paused = message.data.paused
  })
}

/** Any web page may open a socket to any address. The header `origin` says which page it is. */
function isOwnPage ({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

function parsed (data: Buffer): unknown {
  try {
    return JSON.parse(data.toString())
  } catch {
    return undefined
  }
}
