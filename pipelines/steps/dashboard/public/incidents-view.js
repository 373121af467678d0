// @ts-check
// The list of incidents: those that go on first. A card stays the same element while it changes, so that nobody loses
// the focus.
import { arrange, byId, make, part, setText } from './dom.js'
import { formatDuration, formatScore, formatShares, formatTime, plural } from './format.js'
import { paint } from './paint.js'

/** @typedef {import('./types.d.ts').Incident} Incident */
/** @typedef {import('./types.d.ts').AnnotationKind} Kind */
/**
 * @typedef {{ card: HTMLLIElement, jump: HTMLButtonElement, status: HTMLElement, when: HTMLElement, told: HTMLElement,
 * why: HTMLElement, said: HTMLElement, note: HTMLTextAreaElement, problem: HTMLElement,
 * buttons: Map<Kind, HTMLButtonElement> }} Card
 */

/** Number of shown cards. */
const MOST = 60

/** @type {ReadonlyArray<[Kind, string]>} */
const BUTTONS = [['acknowledged', 'Acknowledge'], ['false-alarm', 'False alarm'], ['confirmed', 'Confirm']]

export class IncidentsView {
  #incidents
  #onJump
  #onAnnotate
  #list = byId('incidents', window.HTMLUListElement)
  #onlySeries = byId('only-series', window.HTMLInputElement)
  /** @type {Map<string, Card>} */
  #cards = new Map()
  /** @type {string | undefined} */
  #series

  /**
   * @param {import('./incident-state.js').IncidentState} incidents
   * @param {(incident: Incident) => void} onJump
   * @param {(incident: Incident, kind: Kind, note: string) => Promise<void>} onAnnotate
   */
  constructor (incidents, onJump, onAnnotate) {
    this.#incidents = incidents
    this.#onJump = onJump
    this.#onAnnotate = onAnnotate
    this.#onlySeries.addEventListener('change', () => { this.changed() })
  }

  /** @param {string | undefined} series that is shown */
  show (series) {
    this.#series = series
    part('only-series-field').hidden = series === undefined
    this.changed()
  }

  changed () {
    paint(this.#draw)
  }

  #draw = () => {
    const all = this.#incidents.list(this.#onlySeries.checked ? this.#series : undefined)
    const shown = all.slice(0, MOST)
    const cards = shown.map((incident) => this.#card(incident).card)
    const known = new Set(shown.map(({ id }) => id))
    for (const id of [...this.#cards.keys()]) if (!known.has(id)) this.#cards.delete(id)
    const focused = document.activeElement
    arrange(this.#list, cards)
    if (focused instanceof window.HTMLElement && focused !== document.activeElement && this.#list.contains(focused)) {
      focused.focus()
    }
    const open = all.filter(({ closed }) => !closed).length
    setText(part('incidents-count'), all.length === 0 ? 'none' : `${open} open, ${all.length - open} closed`)
    part('incidents-empty').hidden = all.length > 0
  }

  /**
   * @param {Incident} incident
   * @returns {Card}
   */
  #card (incident) {
    const known = this.#cards.get(incident.id)
    const card = known ?? this.#make(incident.id)
    const { series, severity, closed, start, end, peak, channels, kind, message, feedback, acknowledgedAt } = incident
    card.card.dataset['severity'] = severity
    card.card.dataset['open'] = String(!closed)
    card.card.dataset['feedback'] = feedback ?? ''
    setText(card.jump, series)
    setText(card.status, `${severity === 'critical' ? 'Critical' : 'Warning'}${closed ? '' : ' · open'}`)
    const duration = formatDuration(Date.parse(end) - Date.parse(start))
    setText(
      card.when,
      `${formatTime(Date.parse(start))} · ${closed ? 'lasted' : 'for'} ${duration} · peak ${formatScore(peak.score)}`
    )
    setText(card.told, message === undefined ? '' : `${kind}: ${message}`)
    setText(card.why, formatShares(channels))
    setText(card.said, saidOf(incident))
    for (const [kind, button] of card.buttons) {
      button.setAttribute('aria-pressed', String(kind === 'acknowledged' ? acknowledgedAt != null : feedback === kind))
    }
    return card
  }

  /**
   * @param {string} id
   * @returns {Card}
   */
  #make (id) {
    const [status, when, why, said, problem] = ['status', 'when', 'why', 'said', 'problem'].map((part) =>
      make(part === 'status' ? 'span' : 'p', { class: part })
    )
    const parts =
      /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ ([
        status,
        when,
        why,
        said,
        problem,
      ])
    parts[4].setAttribute('role', 'alert')
    const told = make('p', { class: 'told' })
    const jump = make('button', { type: 'button', class: 'jump', title: 'Show this time' })
    jump.addEventListener('click', () => {
      this.#with(id, this.#onJump)
    })
    const note = make('textarea', {
      rows: '2',
      maxlength: '2000',
      'aria-label': 'Note',
      placeholder: 'Sent with the button that you press',
    })
    const buttons = new Map(BUTTONS.map(([kind, text]) => {
      const button = make('button', { type: 'button', 'data-kind': kind }, text)
      button.addEventListener('click', () => { this.#with(id, (incident) => { this.#annotate(incident, kind) }) })
      return /** @type {const} */ ([kind, button])
    }))
    const more = make('details', { class: 'note' }, make('summary', {}, 'Note'), note)
    const card = make(
      'li',
      { class: 'incident', 'data-id': id },
      make('div', { class: 'head' }, jump, parts[0]),
      parts[1],
      told,
      parts[2],
      parts[3],
      make('div', { class: 'say', role: 'group', 'aria-label': 'What is it?' }, ...buttons.values()),
      more,
      parts[4]
    )
    const made = {
      card,
      jump,
      status: parts[0],
      when: parts[1],
      told,
      why: parts[2],
      said: parts[3],
      note,
      problem: parts[4],
      buttons,
    }
    this.#cards.set(id, made)
    return made
  }

  /**
   * @param {string} id
   * @param {(incident: Incident) => void} use
   */
  #with (id, use) {
    const incident = this.#incidents.all.get(id)
    if (incident !== undefined) use(incident)
  }

  /**
   * @param {Incident} incident
   * @param {Kind} kind
   */
  async #annotate (incident, kind) {
    const card = this.#cards.get(incident.id)
    if (card === undefined) return
    card.card.setAttribute('aria-busy', 'true')
    setText(card.problem, '')
    try {
      await this.#onAnnotate(incident, kind, card.note.value.trim())
      card.note.value = ''
    } catch (error) {
      setText(card.problem, `Not saved: ${/** @type {Error} */ (error).message}`)
    } finally {
      card.card.removeAttribute('aria-busy')
    }
  }
}

/** @param {Incident} incident */
function saidOf ({ feedback, acknowledgedAt, note, observations }) {
  const said = [
    plural(observations, 'anomalous observation'),
    acknowledgedAt != null && 'acknowledged',
    feedback === 'false-alarm' && 'false alarm',
    feedback === 'confirmed' && 'confirmed',
    note != null && note !== '' && `“${note}”`,
  ]
  return said.filter(Boolean).join(' · ')
}
