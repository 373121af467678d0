// Bodies in and out: compression both ways, and the media types that are read. Limits hold after decompression. Bytes
// stay bytes: what they say is read where they are scored, off this thread (compute/read-body.ts).
import { constants } from 'node:zlib'
import compress from '@fastify/compress'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BODY_TYPES } from '../schemas/media.ts'

export async function addBodies (app: FastifyInstance): Promise<void> {
  await app.register(compress, {
    requestEncodings: ['gzip', 'br', 'deflate', 'identity'],
    encodings: ['br', 'gzip', 'deflate'],
    // Answers are mostly digits of scores: trying harder costs more than scoring them, and saves a tenth.
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
