// Errors before there is a request: no HTTP, headers too large, or a request that does not arrive. The problem document
// is written to the connection, which is then closed.
import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyBaseLogger } from 'fastify'
import { PROBLEM_MEDIA_TYPE } from '../../adapters/http/problem-answers.ts'
import type { AnyProblemCode } from '../../adapters/http/problem-codes.ts'
import { ANSWERS } from './errors.ts'
import { headersOf } from './headers.ts'

/** Answers on a connection whose request cannot be read, and closes it. */
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
  // Destroyed only after the answer is written: some clients send their whole request before they read.
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => { socket.destroy() })
}

function problemOf ({ code, message }: ConnectionError): { code: AnyProblemCode, detail: string } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      code: 'headers-too-large',
      detail:
        `URL and headers together are larger than ${maxHeaderSize} bytes; shorten the URL, or leave out headers that ` +
        'the service does not need.',
    }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { code: 'request-timeout', detail: 'The request did not arrive completely in time; send it again.' }
  }
  return {
    code: 'malformed-request',
    detail: `The request cannot be read (${message}); send HTTP/1.1 with one of its methods.`,
  }
}
