// Bytes of unknown format → text. Compression and character set are detected from the bytes.
import { gunzipSync } from 'node:zlib'
import { Problem } from '../../../core/errors.ts'

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/**
 * The bytes, decompressed if they are gzip; at most `maxBytes`.
 * @throws Problem body-too-large or malformed-body
 */
export function inflated (bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  if (!isGzip(bytes)) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new Problem(
      'malformed-body',
      'The gzip file is truncated or damaged and cannot be decompressed; compress it again, or send it uncompressed.',
      { cause }
    )
  }
}

const tooLarge = (limit: number): Problem =>
  new Problem(
    'body-too-large',
    `The file has more than ${limit} bytes after decompression, which is the limit; send the series in parts.`,
    { extensions: { limit } }
  )

/** Bytes that are searched to detect UTF-16 without a byte order mark. */
const LOOKED_AT = 1024

/** Reads UTF-8 or UTF-16 if valid, else Windows-1252, which Western programs without Unicode write. */
export function decodeText (bytes: Uint8Array): string {
  const utf16 = utf16Of(bytes)
  if (utf16 !== undefined) return new TextDecoder(utf16).decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** Detected by a byte order mark, or by zeros in every other byte: text of digits has them in UTF-16. */
function utf16Of (bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const start = [...bytes.subarray(0, LOOKED_AT)]
  const [even, odd] = [0, 1].map((parity) => start.filter((byte, i) => byte === 0 && (i & 1) === parity).length) as [
    number,
    number
  ]
  if (Math.max(even, odd) * 4 < start.length || (even > 0 && odd > 0)) return undefined
  return odd > even ? 'utf-16le' : even > 0 ? 'utf-16be' : undefined
}
