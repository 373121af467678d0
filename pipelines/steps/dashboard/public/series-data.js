// @ts-check
// One series as columns, for charts. It grows at the end and loses its beginning. A gap is a row of nulls, so that
// lines break there.

/** @typedef {import('./types.d.ts').Verdict} Verdict */
/**
 * @typedef {{ value: Array<number | null>, expected: Array<number | null>, imputed: boolean[], share: number[] }}
 * Column
 */

/** Most observations. */
const MOST = 20_000

export class SeriesData {
  series
  /** @type {number[]} */
  times = []
  /** @type {Array<number | null>} */
  scores = []
  /** @type {Array<number | null>} */
  thresholds = []
  /** @type {Array<number | null>} the score of anomalous observations */
  anomalous = []
  /** @type {Map<string, Column>} in the order of the model */
  channels = new Map()
  /** @type {Array<{ from: number, to: number }>} */
  gaps = []
  /** @type {Verdict | undefined} */
  last

  /** @param {string} series */
  constructor (series) {
    this.series = series
  }

  /** Milliseconds between observations; Infinity if unknown. */
  interval = Infinity

  /**
   * @param {Verdict} verdict
   * @returns {boolean} whether it is newer than all before
   */
  push (verdict) {
    const time = Date.parse(verdict.time)
    const before = this.times.at(-1) ?? -Infinity
    if (time <= before) return false
    const step = time - before
    if (step > 1.5 * this.interval) this.#hole(before + this.interval)
    else this.interval = Math.min(this.interval, step)
    this.#row(time, verdict)
    this.last = verdict
    if (this.times.length > MOST) this.#drop(MOST / 10)
    return true
  }

  /** @param {import('./types.d.ts').Gap} gap */
  miss ({ from, to }) {
    this.gaps.push({ from: Date.parse(from), to: Date.parse(to) })
    if (this.gaps.length > 1000) this.gaps.shift()
  }

  /** Drops observations long before `from`. @param {number} from */
  trim (from) {
    const index = this.times.findIndex((time) => time >= from)
    if (index > 200 && index > this.times.length / 4) this.#drop(index)
  }

  /** Index of the nearest observation. @param {number} time */
  nearest (time) {
    let [low, high] = [0, this.times.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.times[middle] ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low > 0 && time - (this.times[low - 1] ?? 0) < (this.times[low] ?? 0) - time ? low - 1 : low
  }

  /**
   * The usual distance of values from the expected ones: 99 of 100 normal values are nearer.
   * @param {string} channel
   * @returns {number | undefined} in the channel's unit
   */
  usualDeviation (channel) {
    const column = this.channels.get(channel)
    if (column === undefined) return undefined
    const { value, expected } = column
    const found = []
    for (let i = 0; i < value.length; i++) {
      const [one, other] = [value[i], expected[i]]
      if (typeof one === 'number' && typeof other === 'number' && this.anomalous[i] === null) {
        found.push(Math.abs(one - other))
      }
    }
    if (found.length < 20) return undefined
    return found.sort((a, b) => a - b)[Math.floor(0.99 * (found.length - 1))]
  }

  /** Adds a row of nulls, where lines break. @param {number} time */
  #hole (time) {
    this.times.push(time)
    for (const list of [this.scores, this.thresholds, this.anomalous]) list.push(null)
    for (const { value, expected, imputed, share } of this.channels.values()) {
      value.push(null)
      expected.push(null)
      imputed.push(false)
      share.push(0)
    }
  }

  /**
   * @param {number} time
   * @param {Verdict} verdict
   */
  #row (time, verdict) {
    const count = this.times.length
    const { score, threshold, anomalous, values } = verdict
    for (const name of Object.keys(values)) if (!this.channels.has(name)) this.channels.set(name, emptyColumn(count))
    this.times.push(time)
    this.scores.push(score)
    this.thresholds.push(threshold)
    this.anomalous.push(anomalous === true ? score : null)
    for (const [name, column] of this.channels) extend(column, name, verdict)
    for (const { channel, contribution } of verdict.contributions ?? []) {
      const share = this.channels.get(channel)?.share
      if (share !== undefined) share[count] = contribution * (score ?? 0) / threshold
    }
  }

  /** @param {number} count */
  #drop (count) {
    for (const list of [this.times, this.scores, this.thresholds, this.anomalous]) list.splice(0, count)
    for (const column of this.channels.values()) for (const list of Object.values(column)) list.splice(0, count)
    const first = this.times[0] ?? 0
    this.gaps = this.gaps.filter(({ to }) => to >= first)
  }
}

/**
 * @param {number} count
 * @returns {Column}
 */
const emptyColumn = (count) => ({
  value: Array(count).fill(null),
  expected: Array(count).fill(null),
  imputed: Array(count).fill(false),
  share: Array(count).fill(0),
})

/**
 * @param {Column} column
 * @param {string} name
 * @param {Verdict} verdict
 */
function extend (column, name, { values, expected, imputed }) {
  column.value.push(values[name] ?? null)
  column.expected.push(expected?.[name] ?? null)
  column.imputed.push(imputed.includes(name))
  column.share.push(0)
}
