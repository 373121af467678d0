// @ts-check
// The current state of every series, and their order, the worst first. The order is lazy: it changes with a clear
// difference, not with every score.

/** @typedef {import('./types.d.ts').FleetEntry} FleetEntry */
/** @typedef {import('./types.d.ts').State} State */
/**
 * @typedef {FleetEntry & { scores: Array<import('./types.d.ts').Point>, arrived: number, spacing: number, at: number }}
 * Member
 */

const SCORES = 96
/** A series is stale after so many intervals without a verdict, by the time of the data and by the clock. */
const STALE_AFTER = 10
const STALE_MS = 15_000
/** The order uses the highest of so many newest scores. */
const RECENT = 6

/** @type {Readonly<Record<State, number>>} */
const GROUPS = { anomalous: 4, gap: 3, stale: 2, normal: 1, 'warm-up': 0 }

export class FleetState {
  /** @type {Map<string, Member>} */
  members = new Map()
  /** Time of the newest verdict of all series, milliseconds since 1970. */
  newest = -Infinity
  /** @type {string[]} the worst first */
  order = []

  /** @param {import('./types.d.ts').FleetAnswer} answer */
  reset ({ series }) {
    const now = performance.now()
    this.members = new Map(series.map(({ scores, silentMs, ...entry }) => [entry.series, {
      ...entry, scores: [...scores], arrived: now - (silentMs ?? 0), spacing: 0, at: Date.parse(entry.time),
    }]))
    for (const { at } of this.members.values()) this.newest = Math.max(this.newest, at)
    const known = this.order.filter((name) => this.members.has(name))
    this.order = [...known, ...series.map((one) => one.series).filter((name) => !known.includes(name))]
  }

  /** @param {FleetEntry} entry */
  take (entry) {
    const now = performance.now()
    const before = this.members.get(entry.series)
    const at = Date.parse(entry.time)
    const isNew = before === undefined || at > before.at
    const scores = before?.scores ?? []
    if (isNew) scores.push([at, entry.score])
    if (scores.length > SCORES) scores.shift()
    const gap = before === undefined ? 0 : now - before.arrived
    this.members.set(entry.series, {
      ...entry,
      scores,
      at,
      arrived: now,
      spacing: before === undefined ? 0 : before.spacing * 0.8 + gap * 0.2,
    })
    this.newest = Math.max(this.newest, at)
    if (before === undefined) this.order.push(entry.series)
  }

  /**
   * @param {Member} member
   * @returns {State}
   */
  stateOf (member) {
    if (member.gapUntil !== null) return 'gap'
    const step = intervalOf(member)
    const silence = performance.now() - member.arrived
    if (this.newest - member.at > STALE_AFTER * step || silence > Math.max(STALE_MS, STALE_AFTER * member.spacing)) {
      return 'stale'
    }
    if (member.score === null) return 'warm-up'
    return member.anomalous === true ? 'anomalous' : 'normal'
  }

  /** Sorts the worst first. @returns {boolean} whether the order has changed */
  sort () {
    const ranks = new Map(
      [...this.members.values()].map((member) => [
        member.series,
        { group: GROUPS[this.stateOf(member)], level: levelOf(member) },
      ])
    )
    const before = this.order.join('\n')
    /** @param {string} a @param {string} b */
    const isWorse = (a, b) => {
      const [one, other] = [ranks.get(a), ranks.get(b)]
      if (one === undefined || other === undefined) return false
      if (one.group !== other.group) return one.group > other.group
      return one.level > 1.3 * other.level + 0.15
    }
    const order = this.order.filter((name) => ranks.has(name))
    for (let i = 1; i < order.length; i++) {
      for (let j = i; j > 0 && isWorse(/** @type {string} */ (order[j]), /** @type {string} */ (order[j - 1])); j--) {
        [order[j - 1], order[j]] = [(order[j]), /** @type {string} */ (order[j - 1])]
      }
    }
    this.order = order
    return before !== order.join('\n')
  }

  /** @returns {Record<State, number>} */
  counts () {
    const counts = { anomalous: 0, gap: 0, stale: 0, normal: 0, 'warm-up': 0 }
    for (const member of this.members.values()) counts[this.stateOf(member)]++
    return counts
  }
}

/** The usual time between verdicts: the shortest distance of the newest ones. @param {Member} member */
function intervalOf ({ scores }) {
  let shortest = Infinity
  for (let i = Math.max(1, scores.length - 10); i < scores.length; i++) {
    shortest = Math.min(shortest, (scores[i]?.[0] ?? 0) - (scores[i - 1]?.[0] ?? 0))
  }
  return shortest
}

/** @param {Member} member */
function levelOf ({ scores, threshold }) {
  return Math.max(0, ...scores.slice(-RECENT).map(([, score]) => score ?? 0)) / (threshold || 1)
}
