// @ts-check
// Light or dark: the system's preference until a person presses the button, which is then remembered.
import { byId } from './dom.js'

const preference = window.matchMedia('(prefers-color-scheme: dark)')

/** @returns {'light' | 'dark'} */
export function currentTheme () {
  const chosen = document.documentElement.dataset['theme']
  if (chosen === 'light' || chosen === 'dark') return chosen
  return preference.matches ? 'dark' : 'light'
}

/**
 * Wires the button; `onChange` is called after every change.
 * @param {() => void} onChange
 */
export function startTheme (onChange) {
  const button = byId('theme', window.HTMLButtonElement)
  const tell = () => {
    button.setAttribute('aria-pressed', String(currentTheme() === 'dark'))
  }
  button.addEventListener('click', () => {
    const next = currentTheme() === 'dark' ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = next
    try {
      window.localStorage.setItem('theme', next)
    } catch {
      // Not remembered where storage is forbidden; the choice still holds for this visit.
    }
    tell()
    onChange()
  })
  preference.addEventListener('change', () => {
    tell()
    onChange()
  })
  tell()
}
