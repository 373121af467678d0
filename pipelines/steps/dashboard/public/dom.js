// @ts-check
// What the page does with the DOM: find an element, make one, change its text where it differs. Text goes in as text,
// never as HTML.

/**
 * The element with this id; throws when the page and its script disagree.
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

/** An element of which only text and attributes are changed. @param {string} id */
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
 * Sets the text where it differs: what stays costs no layout, and is not read out again.
 * @param {Element} element
 * @param {string} text
 */
export function setText (element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Makes the parent's children these, in this order; those that stand right are not touched, so that they keep the
 * focus.
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
