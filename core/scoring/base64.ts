// Arrays of numbers as text and back, bit for bit: what a state in JSON is made of. Little-endian on every machine.
import { Problem } from '../errors.ts'

type Numbers = Float64Array | Float32Array | Uint8Array

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PADDING = 0x3d
const decoder = new TextDecoder()

/**
 * The numbers' bytes, little-endian, as base64.
 * @example
 * encodeNumbers(Float64Array.of(1)) // 'AAAAAAAA8D8='
 */
export function encodeNumbers (values: Numbers): string {
  const bytes = toBytes(values)
  // A fraction of the time that a string of bytes and btoa() take: states are saved all the time.
  const text = new Uint8Array(bytes.length / 3 * 4)
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const triple = bytes[from]! << 16 | bytes[from + 1]! << 8 | bytes[from + 2]!
    text[to] = ALPHABET[triple >> 18]!
    text[to + 1] = ALPHABET[triple >> 12 & 63]!
    text[to + 2] = ALPHABET[triple >> 6 & 63]!
    text[to + 3] = ALPHABET[triple & 63]!
  }
  text.fill(PADDING, text.length - (bytes.length - values.byteLength))
  return decoder.decode(text)
}

/** With zeros behind them, so that there are whole triples. */
function toBytes (values: Numbers): Uint8Array {
  const bytes = new Uint8Array(3 * Math.ceil(values.byteLength / 3))
  const view = new DataView(bytes.buffer)
  if (values instanceof Uint8Array) bytes.set(values)
  else if (values instanceof Float64Array) {
    for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i]!, true)
  } else for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true)
  return bytes
}

/**
 * What encodeNumbers() was given.
 * @throws Problem invalid-state where the text is no base64, or not of whole numbers
 */
export function decodeFloat64 (text: string): Float64Array {
  const view = decoded(text, 8)
  const values = new Float64Array(view.byteLength / 8)
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(8 * i, true)
  return values
}

/** @throws as decodeFloat64() */
export function decodeFloat32 (text: string): Float32Array {
  const view = decoded(text, 4)
  const values = new Float32Array(view.byteLength / 4)
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true)
  return values
}

/** @throws as decodeFloat64() */
export function decodeBytes (text: string): Uint8Array {
  return new Uint8Array(decoded(text, 1).buffer)
}

function decoded (text: string, size: number): DataView<ArrayBuffer> {
  let binary
  try {
    binary = atob(text)
  } catch (cause) {
    throw new Problem(
      'invalid-state',
      'A saved state holds numbers that are no base64; it is damaged: leave it out and start afresh.',
      { cause }
    )
  }
  if (binary.length % size !== 0) {
    throw new Problem(
      'invalid-state',
      `A saved state holds ${binary.length} bytes where whole numbers of ${size} bytes are wanted; it is damaged: leave it out and start afresh.`
    )
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return new DataView(bytes.buffer)
}
