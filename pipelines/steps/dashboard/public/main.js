// @ts-check
// The page: shows the view that the address names, passes on the frames of the socket, and reads everything again after
// an outage.
import { addressOf, RANGES, readAddress, writeAddress } from './address.js'
import { byId, make, part, setText } from './dom.js'
import { FleetState } from './fleet-state.js'
import { FleetView, STATE_NAMES } from './fleet-view.js'
import { formatTime } from './format.js'
import { IncidentState } from './incident-state.js'
import { IncidentsView } from './incidents-view.js'
import { askKey } from './key-box.js'
import { paint } from './paint.js'
import { SeriesView } from './series-view.js'
import { ask, Refusal, Socket } from './server.js'

/** @typedef {import('./types.d.ts').View} View */
/** @typedef {import('./types.d.ts').Frame} Frame */
/** @typedef {import('./types.d.ts').Incident} Incident */

/** Delay before lost frames are read again. */
const REREAD_MS = 1000
/** Part of the range to show after the end of an incident. */
const AFTER = 0.15

const fleet = new FleetState()
const incidents = new IncidentState()
const fleetView = new FleetView(fleet)
const seriesView = new SeriesView(incidents, (channels) => { go({ ...view, channels }, 'replace') })
const incidentsView = new IncidentsView(incidents, jump, annotate)
const socket = new Socket(takeFrame, showConnection)
let view = readAddress()
let rereading = 0

/**
 * @param {View} next
 * @param {'push' | 'replace'} how
 */
function go (next, how) {
  writeAddress(next, how)
  show(next)
}

/** @param {View} next */
function show (next) {
  const before = view
  view = next
  showHeads(next)
  showPause()
  fleetView.show(next)
  seriesView.show(next)
  incidentsView.show(next.series)
  socket.send({ type: 'follow', series: next.series ?? null })
  socket.send({ type: 'pause', paused: next.at !== undefined })
  if (!isSame(next, before)) readSeries()
  if (before.at !== undefined && next.at === undefined) readFleet()
  if (next.series !== before.series) window.scrollTo(0, 0)
}

/** @param {View} view */
function showHeads ({ series, range, at }) {
  part('fleet-section').hidden = series !== undefined
  part('series-section').hidden = series === undefined
  setText(part('series-title'), series ?? '')
  document.title = `${series ?? 'Fleet'} · live`
  part('back').setAttribute('href', addressOf({ series: undefined, range, channels: [], at }))
  for (const button of part('ranges').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset['range'] === range))
  }
}

function showPause () {
  const paused = view.at !== undefined
  byId('pause', window.HTMLButtonElement).setAttribute('aria-pressed', String(paused))
  setText(part('pause-text'), paused ? 'Resume' : 'Pause')
  document.body.dataset['paused'] = String(paused)
  paint(showClock)
}

function showClock () {
  const time = view.at ?? (fleet.newest === -Infinity ? undefined : fleet.newest)
  setText(part('clock'), time === undefined ? '' : `${formatTime(time)} UTC`)
  const member = view.series === undefined ? undefined : fleet.members.get(view.series)
  if (member === undefined) return
  const state = fleet.stateOf(member)
  const chip = part('series-state')
  chip.dataset['state'] = state
  setText(chip, STATE_NAMES[state])
  setText(part('series-model'), `${member.model.name} ${member.model.version}`)
}

function togglePause () {
  const newest = fleet.members.get(view.series ?? '')?.at ?? fleet.newest
  go({ ...view, at: view.at === undefined && Number.isFinite(newest) ? newest : undefined }, 'replace')
}

/** @param {Frame} frame */
function takeFrame (frame) {
  if (frame.type === 'welcome') return readAll()
  for (const entry of frame.fleet ?? []) {
    fleet.take(entry)
    fleetView.changed(entry.series)
  }
  seriesView.takeFrame(frame)
  if (frame.incidents !== undefined || frame.annotations !== undefined) takeIncidents(frame)
  if (frame.skipped !== undefined) reread()
  paint(showClock)
}

/** @param {Frame} frame */
function takeIncidents ({ incidents: changed = [], annotations = [] }) {
  const fresh = changed.filter((incident) => incidents.take(incident))
  for (const annotation of annotations) incidents.annotate(annotation)
  if (fresh.length > 0) announce(fresh)
  showIncidents()
}

function showIncidents () {
  incidentsView.changed()
  paint(seriesView.draw)
}

/** @param {readonly Incident[]} fresh */
function announce (fresh) {
  setText(
    part('news'),
    fresh.map(({ series, severity, channels }) =>
      `New ${severity} incident: ${series}${channels[0] === undefined ? '' : `, ${channels[0].channel}`}`
    ).join('. ')
  )
}

/** Reads everything again, once for several lost frames. */
function reread () {
  window.clearTimeout(rereading)
  rereading = window.setTimeout(readAll, REREAD_MS)
}

function readAll () {
  readFleet()
  readIncidents()
  readSeries()
}

async function readFleet () {
  await reading(async () => {
    const answer = await ask('fleet')
    fleet.reset(answer)
    showLinks(answer.links)
    fleetView.reset()
    paint(showClock)
  })
}

async function readIncidents () {
  await reading(async () => {
    for (const incident of (await ask('incidents')).incidents) incidents.take(incident)
    showIncidents()
  })
}

async function readSeries () {
  const asked = view
  const { series, range, at } = asked
  if (series === undefined) return
  await reading(async () => {
    if (fleet.members.size === 0) await readFleet()
    const to = at ?? fleet.members.get(series)?.at ?? fleet.newest
    if (!Number.isFinite(to)) return
    const query = new URLSearchParams({
      from: instant(to - (RANGES[range] ?? 0)),
      ...(at !== undefined && { to: instant(at) }),
    })
    const answer = await ask(`series/${encodeURIComponent(series)}?${query}`)
    // The view may have changed meanwhile.
    if (isSame(asked, view)) seriesView.fill(answer)
  })
}

/** Whether both show the same series and time. @param {View} a @param {View} b */
const isSame = (a, b) => a.series === b.series && a.range === b.range && a.at === b.at

/** @param {number} ms */
const instant = (ms) => new Date(ms).toISOString()

/**
 * Shows a failure until the next success.
 * @param {() => Promise<void>} read
 */
async function reading (read) {
  const box = part('problem')
  try {
    await read()
    box.hidden = true
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return unlock()
    // The header already shows a lost connection.
    box.hidden = !(error instanceof Refusal)
    setText(box, /** @type {Error} */ (error).message)
  }
}

function unlock () {
  askKey(() => {
    socket.open()
    readAll()
  })
}

/** @param {ReadonlyArray<{ readonly href: string, readonly text: string }>} links */
function showLinks (links) {
  part('links').replaceChildren(...links.map(({ href, text }) => make('a', { href }, text)))
}

/** @param {Incident} incident */
function jump ({ series, start, end }) {
  const [from, to] = [Date.parse(start), Date.parse(end)]
  const range = Object.entries(RANGES).find(([, ms]) => ms * (1 - 2 * AFTER) >= to - from)?.[0] ?? '7d'
  const wide = (RANGES[view.range] ?? 0) * (1 - 2 * AFTER) >= to - from ? view.range : range
  const at = to + (RANGES[wide] ?? 0) * AFTER
  // An incident of the newest data is shown live.
  go({
    series,
    range: wide,
    channels: view.series === series ? view.channels : [],
    at: at >= fleet.newest ? undefined : at,
  }, 'push')
}

/**
 * @param {Incident} incident
 * @param {import('./types.d.ts').AnnotationKind} kind
 * @param {string} note
 */
async function annotate ({ id }, kind, note) {
  const { annotation } = await ask(`incidents/${encodeURIComponent(id)}/annotations`, {
    kind,
    ...(note !== '' && { note }),
  })
  incidents.annotate(annotation)
  showIncidents()
}

/** @param {import('./server.js').Connection} connection */
function showConnection ({ state, retryAt }) {
  const seconds = Math.max(1, Math.round(((retryAt ?? 0) - Date.now()) / 1000))
  const pill = part('connection')
  pill.dataset['state'] = state
  setText(
    pill,
    {
      live: 'Live',
      connecting: 'Connecting…',
      waiting: `Offline, trying again in ${seconds} s`,
      locked: 'Locked',
    }[state]
  )
  if (state === 'locked') unlock()
}

/** Handles the keys of the page, unless the focused element handles them. @param {KeyboardEvent} event */
function press (event) {
  const target = /** @type {HTMLElement} */ (event.target)
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select, dialog') !== null) {
    return
  }
  if (event.key === ' ' && target.closest('button, summary') === null) {
    event.preventDefault()
    togglePause()
  }
  if (event.key === 'Escape' && view.series !== undefined) go({ ...view, series: undefined, channels: [] }, 'push')
}

byId('pause', window.HTMLButtonElement).addEventListener('click', togglePause)
part('ranges').append(...Object.keys(RANGES).map((range) => {
  const button = make('button', { type: 'button', 'data-range': range }, range.replace(/[hd]$/, ' $&'))
  button.addEventListener('click', () => { go({ ...view, range }, 'push') })
  return button
}))
window.addEventListener('keydown', press)
window.addEventListener('popstate', () => { show(readAddress()) })
window.setInterval(() => { paint(showClock) }, 1000)
show(view)
socket.open()
