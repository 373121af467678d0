// Which rows count in a fit.

/** If fewer rows count in every channel, all rows do. */
const LEAST_SHARE = 0.3

/**
 * Rows that are included in every channel; if these are few, all rows.
 * @param included 1 for each row that counts, shape [channels][rows]
 * @example
 * everyIncluded([Uint8Array.of(1, 1, 0), Uint8Array.of(1, 0, 1)]) // [1, 0, 0]
 * everyIncluded([Uint8Array.of(1, 0), Uint8Array.of(0, 1)]) // [1, 1]
 */
export function everyIncluded (included: readonly Uint8Array[]): Uint8Array {
  const every = included[0]!.map((_, t) => included.every((flags) => flags[t] === 1) ? 1 : 0)
  const count = every.reduce((sum, value) => sum + value, 0)
  return count > LEAST_SHARE * every.length ? every : every.fill(1)
}
