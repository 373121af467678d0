// The newest values of a sequence. They lie side by side, so that sums over them need no bounds.

export class Ring {
  readonly size: number
  /** The newest values, oldest first, at [start, start + size); every value is kept twice. */
  readonly values: Float64Array
  start = 0
  readonly #before: number

  /** @param before stands for the values before the first */
  constructor (size: number, before = 0) {
    this.size = size
    this.values = new Float64Array(2 * size).fill(before)
    this.#before = before
  }

  push (value: number): void {
    this.values[this.start] = value
    this.values[this.start + this.size] = value
    this.start = this.start + 1 === this.size ? 0 : this.start + 1
  }

  /** Takes a value that comes so many places after the newest one; those between are as before the first. */
  pushAfter (moved: number, value: number): void {
    for (let i = Math.min(this.size, moved); i > 1; i--) this.push(this.#before)
    this.push(value)
  }

  /** Mean of the newest `count` values, summed in order of time. */
  mean (count: number): number {
    const end = this.start + this.size
    let sum = 0
    for (let i = end - count; i < end; i++) sum += this.values[i]!
    return sum / count
  }

  /** The same of their squares. */
  meanSquare (count: number): number {
    const end = this.start + this.size
    let sum = 0
    for (let i = end - count; i < end; i++) sum += this.values[i]! * this.values[i]!
    return sum / count
  }

  /** The values, oldest first. */
  save (): number[] {
    return Array.from(this.values.subarray(this.start, this.start + this.size))
  }

  /** @param saved from save() of a ring of the same size */
  restore (saved: readonly number[]): void {
    for (const value of saved) this.push(value)
  }
}
