// Names that every database can store: characters that one of them would cut off or change are escaped, and restored.

/** Control characters, lone surrogates, and the escape mark itself. */
const UNSAFE = /[\p{Cc}\p{Cs}\u241b]/gu
const MARKED = /\u241b([\da-f]{4})/g

const escaped = (character: string): string => `\u241b${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * @example
 * toSafeName('a\nb') // 'a␛000ab'
 */
export const toSafeName = (name: string): string => name.replace(UNSAFE, escaped)

export const fromSafeName = (safe: string): string =>
  safe.replace(MARKED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

/** Also escapes backslashes that InfluxDB would read as the beginning of an escape. */
export const toTagName = (name: string): string => toSafeName(name).replace(/\\(?=[,= "\\]|$)/g, escaped)

const MAX_NAMES = 10_000

/** A cache: names are few, and escaping one takes as long as writing its numbers. */
export class EscapedNames {
  readonly #known = new Map<string, string>()
  readonly #escape: (name: string) => string

  constructor (escape: (name: string) => string) {
    this.#escape = escape
  }

  of (name: string): string {
    let text = this.#known.get(name)
    if (text === undefined) {
      if (this.#known.size >= MAX_NAMES) this.#known.clear()
      text = this.#escape(name)
      this.#known.set(name, text)
    }
    return text
  }
}
