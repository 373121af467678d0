// Checks the bytes of JSON before it is parsed. Refused: JSON that would keep the parser busy for seconds or fill the
// memory.
import { Problem } from '../../../core/errors.ts'

/** A request has a few levels, and few members besides its channels. Parsing 30 MB of brackets or keys takes long. */
const MAX_DEPTH = 20
const MAX_MEMBERS = 5000

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c]
/** `[` and `{` open a level, `]` and `}` close one. */
const LEVELS = new Int8Array(256)
LEVELS.set([1, 0, -1], 0x5b)
LEVELS.set([1, 0, -1], 0x7b)
/** 0: skipped, as most bytes are digits. 1: checked always. 2: checked in files only. */
const MARKS = Uint8Array.from(
  LEVELS,
  (level, byte) => level !== 0 || byte === QUOTE || byte === COLON ? 1 : byte === COMMA ? 2 : 0
)

/**
 * Checks a request in one pass: a few milliseconds for the largest body.
 * @throws Problem malformed-body
 */
export function checkRequestShape (body: Uint8Array): void {
  let depth = 0
  let members = 0
  for (let i = 0; i < body.length && depth <= MAX_DEPTH && members <= MAX_MEMBERS; i++) {
    const byte = body[i]!
    if (MARKS[byte] !== 1) continue
    if (byte === QUOTE) i = endOfString(body, i)
    else if (byte === COLON) members++
    else depth += LEVELS[byte]!
  }
  if (depth > MAX_DEPTH) throw tooDeep()
  if (members > MAX_MEMBERS) {
    throw new Problem('malformed-body', `The JSON has more than ${MAX_MEMBERS} members; no request needs so many.`)
  }
}

/** Objects and arrays that a file may have in addition to one per value. */
const SPARE = 1000
/** Most entries and members of a file, including those that are left out. Parsing so many takes half a second. */
const MAX_ENTRIES = 4_000_000

/**
 * Checks a file of records, which has as many members as values. It bounds the objects, the arrays and the different
 * names, which are compared by hash. Equal names cost the parser little, however many there are.
 * @throws Problem malformed-body or series-too-long
 */
export function checkRecordsShape (body: Uint8Array, maxValues: number): void {
  const seen = { depth: 0, opened: 0, entries: 0, names: new Set<number>() }
  let name = 0
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!
    if (MARKS[byte] === 0) continue
    if (byte === QUOTE) {
      const end = endOfString(body, i)
      if (isName(body, end)) name = hashOf(body, i, end)
      i = end
    } else if (byte === COLON) seen.names.add(name)
    else if (byte === COMMA) seen.entries++
    else {
      seen.depth += LEVELS[byte]!
      if (LEVELS[byte] === 1) seen.opened++
    }
    checkBounds(seen, maxValues)
  }
}

function checkBounds (
  { depth, opened, entries, names }: { depth: number, opened: number, entries: number, names: ReadonlySet<number> },
  maxValues: number
): void {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (opened > maxValues + SPARE || entries > MAX_ENTRIES) throw tooMany(maxValues)
  if (names.size > MAX_MEMBERS) {
    throw new Problem(
      'malformed-body',
      `The JSON has more than ${MAX_MEMBERS} different names of members; a series has one for the times and one per ` +
        'channel.'
    )
  }
}

const tooMany = (limit: number): Problem =>
  new Problem(
    'series-too-long',
    `At most ${limit} values are scored in one request; the JSON has more entries than they can need. Send the ` +
      'series in parts.',
    { extensions: { limit } }
  )

const tooDeep = (): Problem =>
  new Problem('malformed-body', `The JSON has more than ${MAX_DEPTH} levels; no request needs so many.`)

/** Index of the quote that ends the string that begins at `from`. */
function endOfString (body: Uint8Array, from: number): number {
  let i = from + 1
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1
  return i
}

/** Whether a colon follows the string that ends at `end`. */
function isName (body: Uint8Array, end: number): boolean {
  let i = end + 1
  while (body[i] === 0x20 || body[i] === 0x0a || body[i] === 0x0d || body[i] === 0x09) i++
  return body[i] === COLON
}

/** FNV-1a, 32 bits. Names with equal hashes only loosen the bound. */
function hashOf (body: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from + 1; i < to; i++) hash = Math.imul(hash ^ body[i]!, 0x01000193)
  return hash
}
