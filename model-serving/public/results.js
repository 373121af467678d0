// @ts-check
// Shows an answer in words: summary, list of anomalies, data quality, choice of channels.
import { channelsOf, defaultChannels, rankChannels, timelineOf } from './chart-data.js'
import { byId, make } from './dom.js'
import { formatDuration, formatNumber, formatRange, formatShare, plural } from './format.js'
import { rangeOf, spanOf } from './instants.js'
import { summarize } from './summary.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Anomaly} Anomaly
 */

const FIRST_ANOMALIES = 24

/**
 * @param {Answer} answer
 * @param {string} name of the file or example
 */
export function showSummary (answer, name) {
  const { length, interval } = timelineOf(answer)
  const found = (answer.anomalies?.length ?? 0) > 0
  const summary = byId('summary', window.HTMLParagraphElement)
  summary.textContent = `${summarize(answer)}.`
  summary.dataset['state'] = found ? 'anomalies' : 'calm'
  const { model } = answer
  const facts = [
    name,
    `${plural(length, 'observation')} × ${plural(channelsOf(answer).length, 'channel')}, ` +
      (answer.numbered === true ? 'numbered for want of timestamps' : `every ${formatDuration(interval)}`),
    `${model.name} ${model.version} (${model.architecture})`,
    answer.scoring === 'batch' ? 'scored with hindsight' : 'scored as it would have been live',
  ]
  byId('facts', window.HTMLParagraphElement).replaceChildren(...facts.map((fact) => make('span', {}, fact)))
  const notices = answer.notices ?? []
  const list = byId('notices', window.HTMLUListElement)
  list.replaceChildren(...notices.map((notice) => make('li', {}, notice)))
  list.hidden = notices.length === 0
}

/**
 * @param {Answer} answer
 * @param {Anomaly} anomaly
 */
function anomalyButton (answer, anomaly) {
  const { interval } = timelineOf(answer)
  const [from, to] = [Date.parse(anomaly.start), Date.parse(anomaly.end)]
  const channels = anomaly.channels.map(({ name, contribution }) => `${name} ${formatShare(contribution)}`).join(', ')
  return make('button', { type: 'button', 'aria-pressed': 'false' },
    make('span', { class: 'when' }, answer.numbered === true ? rangeOf(answer, from, to) : formatRange(from, to)),
    make(
      'span',
      { class: 'score' },
      make('span', { class: 'visually-hidden' }, 'peak score '),
      formatNumber(anomaly.peakScore)
    ),
    make('span', { class: 'told' }, make('span', { class: 'kind' }, anomaly.kind), ` ${anomaly.message}`),
    make('span', { class: 'why' }, `${spanOf(answer, Math.round((to - from) / interval) + 1)} · ${channels}`)
  )
}

/**
 * Anomalies as buttons; the first two dozen, the rest on request.
 * @param {Answer} answer
 * @param {(anomaly: Anomaly) => void} onChoose
 */
export function showAnomalies (answer, onChoose) {
  const list = byId('anomalies', window.HTMLOListElement)
  const anomalies = answer.anomalies ?? []
  const more = byId('more-anomalies', window.HTMLButtonElement)
  /** @type {(some: readonly Anomaly[]) => void} */
  const add = (some) => list.append(...some.map((anomaly) => {
    const button = anomalyButton(answer, anomaly)
    button.addEventListener('click', () => {
      onChoose(anomaly)
      for (const other of list.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button))
    })
    return make('li', {}, button)
  }))
  list.replaceChildren()
  add(anomalies.slice(0, FIRST_ANOMALIES))
  byId('anomaly-section', window.HTMLElement).hidden = anomalies.length === 0
  more.hidden = anomalies.length <= FIRST_ANOMALIES
  more.textContent = `Show all ${anomalies.length}`
  more.onclick = () => {
    add(anomalies.slice(FIRST_ANOMALIES))
    more.hidden = true
    list.querySelectorAll('button')[FIRST_ANOMALIES]?.focus()
  }
}

/** Deselects the anomaly. */
export function clearChoice () {
  for (const button of document.querySelectorAll('#anomalies button')) button.setAttribute('aria-pressed', 'false')
}

/**
 * One row for each channel with a finding; the others in a sentence.
 * @param {Answer} answer
 */
export function showQuality (answer) {
  const entries = Object.entries(answer.quality ?? {})
  const rows = entries.map(([name, quality]) => ({
    name,
    counts: [quality.missing, quality.imputed.length, quality.duplicates, quality.outOfOrder],
  }))
  const found = rows.filter(({ counts }) => counts.some((count) => count > 0))
  const body = byId('quality', window.HTMLTableSectionElement)
  body.replaceChildren(
    ...found.map(({ name, counts }) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, name),
        ...counts.map((count) => make('td', count === 0 ? { class: 'zero' } : {}, count.toLocaleString('en')))
      )
    )
  )
  byId('quality-table', window.HTMLTableElement).hidden = found.length === 0
  const clean = entries.length - found.length
  byId('quality-note', window.HTMLParagraphElement).textContent = found.length === 0
    ? 'All channels are complete and in order.'
    : clean === 0 ? '' : `${plural(clean, 'other channel')} complete and in order.`
}

/**
 * Checkboxes of the channels to draw, most contributing first.
 * @param {Answer} answer
 * @param {(channels: string[]) => void} onChange
 */
export function showChannels (answer, onChange) {
  const all = channelsOf(answer)
  const ranked = rankChannels(answer)
  const chosen = new Set(defaultChannels(answer))
  const list = byId('channels', window.HTMLUListElement)
  const title = byId('channels-title', window.HTMLElement)
  const filter = byId('channel-filter', window.HTMLInputElement)
  const tell = () => {
    title.textContent = `Channels shown: ${chosen.size} of ${all.length}`
  }
  const items = ranked.map((name) => {
    const box = make('input', { type: 'checkbox' })
    box.checked = chosen.has(name)
    box.addEventListener('change', () => {
      if (box.checked) chosen.add(name)
      else chosen.delete(name)
      tell()
      onChange(all.filter((channel) => chosen.has(channel)))
    })
    return { name, item: make('li', {}, make('label', {}, box, make('span', {}, name))) }
  })
  filter.value = ''
  filter.oninput = () => {
    for (const { name, item } of items) item.hidden = !name.toLowerCase().includes(filter.value.toLowerCase())
  }
  byId('channel-filter-field', window.HTMLElement).hidden = all.length <= 20
  list.replaceChildren(...items.map(({ item }) => item))
  tell()
}
