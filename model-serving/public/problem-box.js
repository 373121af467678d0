// @ts-check
// Tells a failure as people read it: what is wrong, where, what was found and what was wanted.
import { ServiceError } from './api.js'
import { byId, make } from './dom.js'

const MOST_LINES = 20

/** @param {unknown} value */
function quote (value) {
  return typeof value === 'string' ? `“${value}”` : JSON.stringify(value)
}

/** @param {NonNullable<import('./types.d.ts').ProblemDocument['errors']>[number]} item */
function line (item) {
  const parts = [
    item.got === undefined ? '' : `got ${quote(item.got)}`,
    item.want === undefined ? '' : `want ${quote(item.want)}`,
  ].filter((part) => part !== '')
  const text = `${item.detail ?? ''}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
  return make(
    'li',
    {},
    ...(item.pointer === undefined || item.pointer === '' ? [] : [make('code', {}, item.pointer), ' ']),
    text
  )
}

/**
 * @param {unknown} error
 * @returns {import('./types.d.ts').ProblemDocument}
 */
function problemOf (error) {
  if (error instanceof ServiceError) return error.problem
  return { title: 'The page could not show the answer', detail: error instanceof Error ? error.message : String(error) }
}

/** @param {unknown} error */
export function showProblem (error) {
  const { title = 'The service answered with an error', detail = '', code, status, errors = [] } = problemOf(error)
  const mark = [code, status === undefined ? undefined : `HTTP ${status}`].filter((part) => part !== undefined).join(
    ' · '
  )
  const lines = errors.slice(0, MOST_LINES).map(line)
  if (errors.length > MOST_LINES) lines.push(make('li', {}, `and ${errors.length - MOST_LINES} more`))
  const parts = [
    make('h2', {}, title),
    make('p', {}, detail),
    make('ul', {}, ...lines),
    make('p', { class: 'code' }, mark),
  ]
  const box = byId('problem', window.HTMLElement)
  box.replaceChildren(...parts.filter((part) => part.childNodes.length > 0 && part.textContent !== ''))
  box.hidden = false
}

export function hideProblem () {
  const box = byId('problem', window.HTMLElement)
  box.hidden = true
  box.replaceChildren()
}
