// Compression of requests and answers, and the media types of requests. Limits hold after decompression. Bodies stay
// bytes: the worker threads parse them (compute/read/read-body.ts).
import { constants } from 'node:zlib'
import compress from '@fastify/compress'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BODY_TYPES } from '../schemas/media.ts'

export async function addBodies (app: FastifyInstance): Promise<void> {
  await app.register(compress, {
    requestEncodings: ['gzip', 'br', 'deflate', 'identity'],
    encodings: ['br', 'gzip', 'deflate'],
    // Answers are mostly digits of scores: a higher level costs more time than scoring them, and saves a tenth.
    zlibOptions: { level: 1 },
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    [...BODY_TYPES, 'application/x-tar'],
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => body
  )
}
