// Texts and values that a caller sent, cut so that the answer stays short.
import type { ProblemItem } from '../../core/errors.ts'

const MAX_TEXT = 1000
const MAX_GOT = 100

export const shorten = (text: string, most = MAX_TEXT): string => text.length > most ? `${text.slice(0, most)}…` : text

/** The item with its texts and its value cut. */
export function briefItem ({ pointer, detail, got, want }: ProblemItem): ProblemItem {
  return {
    pointer: shorten(pointer),
    detail: shorten(detail),
    ...(got !== undefined && { got: brief(got) }),
    ...(want !== undefined && { want }),
  }
}

/** A structure may be deep or huge: only its kind is returned. */
function brief (value: unknown): unknown {
  if (typeof value === 'string') return shorten(value, MAX_GOT)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  return Array.isArray(value) ? 'array' : typeof value
}
