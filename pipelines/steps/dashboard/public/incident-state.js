// @ts-check
// Incidents, with what people said of them. What the socket says and what the database answers come in any order.

/** @typedef {import('./types.d.ts').Incident} Incident */
/** @typedef {import('./types.d.ts').Annotation} Annotation */

/** Only while it goes on: later it is a matter of when. @param {Incident} incident */
const severe = ({ closed, severity }) => Number(!closed && severity === 'critical')

export class IncidentState {
  /** @type {Map<string, Incident>} */
  all = new Map()

  /**
   * @param {Incident} incident
   * @returns {boolean} whether it is one that was not known, and goes on
   */
  take (incident) {
    const before = this.all.get(incident.id)
    this.all.set(incident.id, { ...before, ...incident })
    return before === undefined && !incident.closed
  }

  /** @param {Annotation} annotation */
  annotate ({ incident: id, kind, at, note }) {
    const incident = this.all.get(id)
    if (incident === undefined) return
    this.all.set(id, {
      ...incident,
      ...(kind === 'acknowledged' ? { acknowledgedAt: at } : { feedback: kind }),
      ...(note !== undefined && { note }),
    })
  }

  /**
   * Those that go on first, critical ones before others; then the newest.
   * @param {string} [series]
   * @returns {Incident[]}
   */
  list (series) {
    return [...this.all.values()]
      .filter((one) => series === undefined || one.series === series)
      .sort((a, b) =>
        Number(a.closed) - Number(b.closed) || severe(b) - severe(a) || Date.parse(b.start) - Date.parse(a.start)
      )
  }
}
