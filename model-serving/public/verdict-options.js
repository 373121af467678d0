// @ts-check
// The controls that say what counts as an anomaly → parameters of the query. What stands at its default is not sent.
import { byId } from './dom.js'

const CALIBRATED = '0.5'

/** Parameters of POST /compute, by name. */
export function verdictOptions () {
  const sensitivity = byId('sensitivity', window.HTMLInputElement).value
  /** @type {Record<string, string>} */
  const options = {}
  if (sensitivity !== CALIBRATED) options['sensitivity'] = sensitivity
  for (const name of ['minDuration', 'mergeGap']) {
    const { value } = byId(name, window.HTMLSelectElement)
    if (value !== '') options[name] = value
  }
  if (!byId('adaptive', window.HTMLInputElement).checked) options['adaptive'] = 'false'
  return options
}

/** @param {() => void} onChange called when a control has been changed */
export function wireVerdictOptions (onChange) {
  const slider = byId('sensitivity', window.HTMLInputElement)
  const tell = () => {
    const text = slider.value === CALIBRATED ? 'as calibrated' : slider.value
    byId('sensitivity-value', window.HTMLElement).textContent = text
    slider.setAttribute('aria-valuetext', text)
  }
  slider.addEventListener('input', tell)
  // A reload keeps what was set.
  tell()
  for (const id of ['sensitivity', 'minDuration', 'mergeGap', 'adaptive']) {
    byId(id, window.HTMLElement).addEventListener('change', onChange)
  }
}
