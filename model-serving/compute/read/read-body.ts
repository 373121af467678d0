// Bytes of a body → JSON value, text or form fields. A body that would keep the parser busy for seconds is refused
// before it is parsed.
import { Problem } from '../../../core/errors.ts'
import { checkRequestShape } from './json-shape.ts'

/** Most parts of a form, and most bytes of the headers of each. One part is needed. */
const MAX_PARTS = 16
const MAX_PART_HEADERS = 8192

/** @throws Problem unsupported-media-type or malformed-body */
export const parseText = (body: Uint8Array, contentType: string): string => decode(body, charsetOf(contentType))

const charsetOf = (contentType: string): string => /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? 'utf-8'

/** @throws Problem unsupported-media-type if the character set is unknown, malformed-body if the bytes are not in it */
function decode (body: Uint8Array, charset: string): string {
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(charset, { fatal: true })
  } catch (cause) {
    throw new Problem(
      'unsupported-media-type',
      `The character set "${charset.slice(0, 40)}" is unknown; send UTF-8.`,
      { cause }
    )
  }
  try {
    return decoder.decode(body)
  } catch (cause) {
    throw new Problem(
      'malformed-body',
      `The body is not ${decoder.encoding} text; send UTF-8, or name the character set in Content-Type.`,
      { cause }
    )
  }
}

export function parseJson (body: Uint8Array, contentType: string): unknown {
  const charset = charsetOf(contentType)
  if (!/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new Problem('unsupported-media-type', 'JSON is UTF-8 (RFC 8259); leave the character set out.')
  }
  checkRequestShape(body)
  const text = decode(body, 'utf-8')
  if (text.trim() === '') throw new Problem('malformed-body', 'The body is empty; send a JSON object.')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Problem(
      'malformed-body',
      `The body is not JSON: ${(cause as Error).message} (JSON has no NaN; send null where a value is missing).`,
      { cause }
    )
  }
}

/**
 * The fields of a form, with files as text. The parser is Node's: @fastify/multipart reads the raw connection and so
 * bypasses decompression and the size limit.
 */
export async function parseForm (body: Uint8Array, contentType: string): Promise<Record<string, string>> {
  const form = await readForm(body, contentType)
  if (form.getAll('file').length > 1) {
    throw new Problem('invalid-request', 'The form has several fields `file`; send one series in a request.', {
      items: [{ pointer: '/file', detail: 'sent more than once' }],
    })
  }
  const fields = [...form].map(async ([name, value]) =>
    [name, typeof value === 'string' ? value : decode(new Uint8Array(await value.arrayBuffer()), 'utf-8')] as const
  )
  return Object.fromEntries(await Promise.all(fields))
}

/** The bytes of one form field. */
export async function parseFormFile (body: Uint8Array, contentType: string, field: string): Promise<Uint8Array> {
  const value = (await readForm(body, contentType)).get(field)
  if (value === null) {
    throw new Problem('invalid-request', `The form has no field \`${field}\`; send the series in this field.`, {
      items: [{ pointer: `/${field}`, detail: 'is missing' }],
    })
  }
  return typeof value === 'string' ? new TextEncoder().encode(value) : new Uint8Array(await value.arrayBuffer())
}

async function readForm (body: Uint8Array, contentType: string): Promise<FormData> {
  const malformed = (cause?: unknown): Problem =>
    new Problem('malformed-body', 'The form cannot be read; send multipart/form-data with one field `file`.', { cause })
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)
  if (
    boundary === null ||
    !hasFewParts(Buffer.from(body.buffer, body.byteOffset, body.byteLength), `--${boundary[1] ?? boundary[2]}`)
  ) throw malformed()
  return new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': contentType } }).formData().catch(
    (cause: unknown) => {
      throw malformed(cause)
    }
  )
}

function hasFewParts (body: Buffer, delimiter: string): boolean {
  let parts = 0
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (++parts > MAX_PARTS) return false
    const next = body.subarray(at, at + MAX_PART_HEADERS)
    const isLast = next.subarray(delimiter.length, delimiter.length + 2).toString('latin1') === '--'
    if (!isLast && !next.includes('\r\n\r\n')) return false
  }
  return true
}
