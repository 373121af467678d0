// @ts-check
// Helpers for the DOM: find an element, make one, change its text if it differs. Text is set as text, never as HTML.

/**
 * The element with this id; throws if the page has none of this type.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId (id, type) {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`no ${type.name} #${id}`)
  return element
}

/** An element by its id, for changes of text and attributes. @param {string} id */
export const part = (id) => byId(id, window.HTMLElement)

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make (tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/**
 * Sets the text if it differs: an equal text costs no layout, and screen readers do not read it again.
 * @param {Element} element
 * @param {string} text
 */
export function setText (element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Sets the children of the parent, in this order. Children in the right place are not touched, so they keep the focus.
 * @param {Element} parent
 * @param {readonly Element[]} children
 */
export function arrange (parent, children) {
  const wanted = new Set(children)
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove()
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null)
  })
}
