// Arrays of numbers as base64 text and back, bit for bit: a saved state is JSON. Little-endian on every machine.
import { endianness } from 'node:os'
import { Problem } from '../../../core/errors.ts'

type Numbers = Float64Array | Float32Array | Uint8Array

const IS_BIG_ENDIAN = endianness() === 'BE'

/**
 * The numbers' bytes, little-endian, as base64.
 * @example
 * encodeNumbers(Float64Array.of(1)) // 'AAAAAAAA8D8='
 */
export function encodeNumbers (values: Numbers): string {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return (IS_BIG_ENDIAN ? swapped(Buffer.from(bytes), values.BYTES_PER_ELEMENT) : bytes).toString('base64')
}

/**
 * Reads what encodeNumbers() wrote.
 * @throws Problem invalid-state if the text is not base64, or its bytes are not whole numbers
 */
export function decodeFloat64 (text: string): Float64Array {
  return new Float64Array(decoded(text, 8))
}

/** @throws as decodeFloat64() */
export function decodeFloat32 (text: string): Float32Array {
  return new Float32Array(decoded(text, 4))
}

/** @throws as decodeFloat64() */
export function decodeBytes (text: string): Uint8Array {
  return new Uint8Array(decoded(text, 1))
}

function decoded (text: string, size: number): ArrayBuffer {
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips characters that are not base64. Encoding again finds them in a thirtieth of a pattern's time.
  if (bytes.toString('base64') !== text) {
    throw new Problem(
      'invalid-state',
      'A saved state holds numbers that are not base64; it is damaged: leave it out and start afresh.'
    )
  }
  if (bytes.length % size !== 0) {
    throw new Problem(
      'invalid-state',
      `A saved state holds ${bytes.length} bytes instead of whole numbers of ${size} bytes; it is damaged: ` +
        'leave it out and start afresh.'
    )
  }
  // A copy: the Buffer lies anywhere in a shared pool, and an array of numbers needs an aligned address.
  return new Uint8Array(IS_BIG_ENDIAN ? swapped(bytes, size) : bytes).buffer
}

/** The same bytes, each number of `size` bytes in the other byte order, in place. */
function swapped (bytes: Buffer, size: number): Buffer {
  if (size === 8) return bytes.swap64()
  return size === 4 ? bytes.swap32() : bytes
}
