// Seeded random numbers, for all that is computed. They need integers, sums and products only, so every machine draws
// the same numbers.

export interface Random {
  /** Next number in [0, 1), 53 bits. */
  uniform (): number
  /**
   * Next number of mean 0 and deviation 1, bell-shaped within ±6: the sum of twelve uniforms (Irwin–Hall). A logarithm
   * would differ between machines.
   */
  normal (): number
  /** Next whole number in [0, below). */
  integer (below: number): number
  /** A separate generator for `label`; it does not depend on the numbers already drawn. */
  fork (label: string): Random
}

/** 32-bit hash of a text (FNV-1a); turns labels into seeds. */
function hash (text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, period about 2^127. */
function sfc32 (a: number, b: number, c: number, counter: number): () => number {
  return () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
}

/**
 * A generator for `seed`; equal seeds draw equal sequences.
 * @example
 * createRandom('wind').uniform() === createRandom('wind').uniform() // true
 */
export function createRandom (seed: string | number): Random {
  const label = String(seed)
  const next = sfc32(hash(`${label}/a`), hash(`${label}/b`), hash(`${label}/c`), 1)
  for (let i = 0; i < 16; i++) next()
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
  const normal = (): number => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += uniform()
    return sum
  }
  return {
    uniform,
    normal,
    integer: (below) => Math.floor(uniform() * below),
    fork: (name) => createRandom(`${label}/${name}`),
  }
}

/**
 * Shuffles in place (Fisher–Yates) and returns the same array.
 * @example
 * shuffle([1, 2, 3, 4], createRandom('cards')) // [3, 2, 4, 1]
 */
export function shuffle<T extends { [index: number]: number, readonly length: number }> (items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    const swap = items[i]!
    items[i] = items[j]!
    items[j] = swap
  }
  return items
}
