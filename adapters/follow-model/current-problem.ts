// What keeps a source from being read, if anything. Reported once, not after every look.

export class CurrentProblem {
  readonly #report: (problem: string) => void
  #problem: string | undefined

  constructor (report: (problem: string) => void) {
    this.#report = report
  }

  get (): string | undefined {
    return this.#problem
  }

  set (problem: string): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#report(problem)
  }

  clear (): void {
    this.#problem = undefined
  }
}
