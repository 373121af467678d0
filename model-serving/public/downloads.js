// @ts-check
// Saves the answer as a file: JSON as it came, CSV and PNG computed by the service on request.
import { compute, computePath } from './api.js'
import { byId, make } from './dom.js'

/** @typedef {import('./types.d.ts').Order} Order */

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save (blob, name) {
  const url = URL.createObjectURL(blob)
  make('a', { href: url, download: name }).click()
  // The browser reads the blob after this task.
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/**
 * @param {Order} order
 * @param {Blob} json
 * @param {(error: unknown) => void} onError
 */
export function offerDownloads (order, json, onError) {
  const stem = order.name.replace(/\.[a-z]+$/i, '')
  byId('save-json', window.HTMLButtonElement).onclick = () => save(json, `${stem}-verdicts.json`)
  for (const [id, type, ending] of [['save-csv', 'text/csv', 'csv'], ['save-png', 'image/png', 'png']]) {
    const button = byId(id, window.HTMLButtonElement)
    button.onclick = () => {
      button.disabled = true
      compute(order, type)
        .then((blob) => save(blob, `${stem}-verdicts.${ending}`), onError)
        .finally(() => {
          button.disabled = false
        })
    }
  }
  const file = order.name.includes("'") ? 'series.csv' : order.name
  const { href } = new URL(computePath(order), document.baseURI)
  byId('curl', window.HTMLElement).textContent =
    `curl --data-binary '@${file}' -H 'content-type: text/csv' '${href}'`
}
