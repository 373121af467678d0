// @ts-check
// Names of channels come from outside: made safe for the tooltip, which takes HTML, and for the chart, which uses texts
// as keys.

/** @type {Readonly<Record<string, string>>} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** @param {string} text */
export function escapeHtml (text) {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '')
}

const INHERITED = Object.getOwnPropertyNames(Object.prototype)

/**
 * A name as the chart may have it: on one line, and never the name of something that all objects inherit.
 * zrender keeps measured texts in a plain object: measuring `__proto__` would write into Object.prototype.
 * @param {string} name
 */
export function chartText (name) {
  const line = name.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  return INHERITED.some((key) => line.startsWith(key)) ? ` ${line}` : line
}
