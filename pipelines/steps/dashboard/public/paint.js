// @ts-check
// Draws in the browser's frames: once per frame, and only what has changed.

/** Most charts per frame. */
const AT_ONCE = 2

/** @type {Set<() => void>} */
let waiting = new Set()
/** @type {Set<() => void>} */
const inTurn = new Set()
let requested = false

/**
 * Draws in the next frame. The same function runs once per frame.
 * @param {() => void} draw
 */
export function paint (draw) {
  waiting.add(draw)
  request()
}

/**
 * Draws slow charts: a few per frame, so that no frame is late.
 * @param {() => void} draw
 */
export function paintInTurn (draw) {
  inTurn.add(draw)
  request()
}

function request () {
  if (requested) return
  requested = true
  window.requestAnimationFrame(drawAll)
}

function drawAll () {
  requested = false
  const now = waiting
  waiting = new Set()
  for (const draw of now) draw()
  for (const draw of [...inTurn].slice(0, AT_ONCE)) {
    inTurn.delete(draw)
    draw()
  }
  if (inTurn.size > 0) request()
}

export const calm = window.matchMedia('(prefers-reduced-motion: reduce)')
