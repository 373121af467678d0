// @ts-check
// The colours of the style sheet in the current theme, for canvases.

const NAMES =
  /** @type {const} */ ([
    'text',
    'muted',
    'line',
    'edge',
    'grid',
    'card',
    'accent',
    'accent-soft',
    'band',
    'alarm',
    'alarm-soft',
    'gap',
    'good',
  ])

/** @typedef {typeof NAMES[number]} Colour */

/** @type {Record<Colour, string>} */
export const palette = /** @type {any} */ ({})

/** @type {Array<() => void>} */
const listeners = []

function read () {
  const probe = document.createElement('i')
  document.body.append(probe)
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`
    palette[name] = window.getComputedStyle(probe).color
  }
  probe.remove()
}

/** @param {() => void} listener */
export function onTheme (listener) {
  listeners.push(listener)
}

/**
 * A colour scale from the colour of the card to that of an alarm.
 * @returns {Uint8ClampedArray} 256 × red, green, blue
 */
export function ramp () {
  const [from, to] = [palette.card, palette.alarm].map((colour) =>
    (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number)
  )
  const steps = new Uint8ClampedArray(256 * 3)
  for (let i = 0; i < 256; i++) {
    for (let c = 0; c < 3; c++) {
      steps[3 * i + c] = (from?.[c] ?? 0) + ((to?.[c] ?? 0) - (from?.[c] ?? 0)) * (i / 255) ** 0.8
    }
  }
  return steps
}

read()
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  read()
  for (const listener of listeners) listener()
})
