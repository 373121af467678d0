// @ts-check
// Incidents with people's feedback. Messages of the socket and answers of the database come in any order.

/** @typedef {import('./types.d.ts').Incident} Incident */
/** @typedef {import('./types.d.ts').Annotation} Annotation */

/** Severity counts while the incident is open; later, only its time counts. @param {Incident} incident */
const severe = ({ closed, severity }) => Number(!closed && severity === 'critical')

export class IncidentState {
  /** @type {Map<string, Incident>} */
  all = new Map()

  /**
   * @param {Incident} incident
   * @returns {boolean} whether it is new, and open
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
   * Open incidents first, critical ones before others; then the newest.
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
