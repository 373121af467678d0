// What Node refuses before there is a request: no HTTP, headers too large, a request that does not arrive. The same
// problem documents, written to the bare connection, which is closed.
import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyBaseLogger } from 'fastify'
import { PROBLEM_MEDIA_TYPE } from '../../adapters/http/problem-answers.ts'
import type { AnyProblemCode } from '../../adapters/http/problem-codes.ts'
import { ANSWERS } from './errors.ts'
import { headersOf } from './headers.ts'

/** Answers and closes a connection on which no request can be read. */
export function refuseConnection (
  log: FastifyBaseLogger,
  requestId: string,
  error: ConnectionError,
  socket: Socket
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { code, detail } = problemOf(error)
  log.info({ reqId: requestId, code }, 'request refused')
  const document = ANSWERS.document(code, detail, requestId)
  const body = JSON.stringify(document)
  const headers = {
    ...headersOf(requestId),
    'content-type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  // Closed only once it is written: some callers send on before they listen.
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => { socket.destroy() })
}

function problemOf ({ code, message }: ConnectionError): { code: AnyProblemCode, detail: string } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      code: 'headers-too-large',
      detail:
        `URL and headers together are larger than ${maxHeaderSize} bytes; shorten the URL, and leave out headers that are not needed here.`,
    }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { code: 'request-timeout', detail: 'The request did not arrive as a whole in time; send it again.' }
  }
  return {
    code: 'malformed-request',
    detail: `The request cannot be read (${message}); send HTTP/1.1, with a method that it knows.`,
  }
}
