// Pixels → PNG (ISO/IEC 15948) with a palette, because a plot has few colours. The clear version is the encoder of the
// canvas library, which writes all colours:
//
//   canvas.encodeSync('png')
//
// This file is 4 to 9 times as fast, and its PNG has a third of the size (`npm run -s bench:own-code -- --only plots`).
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const MOST_COLOURS = 256
/** Bits per colour channel in the palette: anti-aliased edges need no more. */
const KEPT_BITS = 4
const COLOURS = 1 << (3 * KEPT_BITS)

/** @param pixels RGBA, opaque, shape [height × width × 4] */
export function encodePng (pixels: Uint8Array, width: number, height: number): Buffer {
  const { palette, rows } = indexed(pixels, width, height)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 2, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk (type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}

interface Indexed {
  /** Shape [colours × 3]. */
  readonly palette: Uint8Array
  /** One byte per pixel, and before each row the filter: none. */
  readonly rows: Uint8Array
}

/**
 * Maps colours with equal highest bits to the first of them. When the palette is full, further colours become black or
 * white, whichever is nearer.
 */
function indexed (pixels: Uint8Array, width: number, height: number): Indexed {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height)
  const places = new Int16Array(COLOURS).fill(-1)
  const palette: number[] = [0, 0, 0, 255, 255, 255]
  const rows = new Uint8Array(height * (width + 1))
  let last = -1
  let place = 0
  for (let y = 0, at = 0, i = 0; y < height; y++) {
    at++
    for (let x = 0; x < width; x++, at++, i++) {
      const word = words[i]!
      if (word !== last) {
        last = word
        place = placeOf(word, places, palette)
      }
      rows[at] = place
    }
  }
  return { palette: Uint8Array.from(palette), rows }
}

function placeOf (word: number, places: Int16Array, palette: number[]): number {
  const [red, green, blue] = [word & 255, (word >>> 8) & 255, (word >>> 16) & 255]
  const drop = 8 - KEPT_BITS
  const key = (red >>> drop) << (2 * KEPT_BITS) | (green >>> drop) << KEPT_BITS | blue >>> drop
  const known = places[key]!
  if (known >= 0) return known
  const count = palette.length / 3
  const place = count < MOST_COLOURS ? count : (red + green + blue > 382 ? 1 : 0)
  if (place === count) palette.push(red, green, blue)
  places[key] = place
  return place
}
