// @ts-check
// The dialog that asks for the API key.
import { byId } from './dom.js'
import { setKey } from './server.js'

/** @param {() => void} onKey */
export function askKey (onKey) {
  const box = byId('key-box', window.HTMLDialogElement)
  if (box.open) return
  const input = byId('key', window.HTMLInputElement)
  input.value = ''
  box.showModal()
  box.addEventListener('close', () => {
    if (input.value.trim() === '') return askKey(onKey)
    setKey(input.value.trim())
    input.value = ''
    onKey()
  }, { once: true })
}
