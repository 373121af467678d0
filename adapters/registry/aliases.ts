// What a log of promotions and rollbacks amounts to.
import type { Step } from './records.ts'

export interface NumberedStep {
  readonly number: number
  readonly step: Step
}

export interface AliasState {
  /** What the alias stands for now, and since when; undefined where for nothing. */
  readonly current: { readonly version: number, readonly digest: string, readonly at: string } | undefined
  /** What a rollback leads to. */
  readonly earlier: { readonly version: number, readonly digest: string } | undefined
  /** The number that the next step gets. */
  readonly next: number
  /** In order of time. */
  readonly history: readonly Step[]
}

/**
 * A promotion puts a version on top of those before, a rollback takes the top one off; `clear` takes all. Rolling back
 * twice leads back two promotions.
 * @param steps in the order of their numbers; the first ones may be gone
 */
export function aliasState (steps: readonly NumberedStep[]): AliasState {
  let stack: Array<{ version: number, digest: string }> = []
  for (const { step } of steps) {
    if (step.action === 'clear') stack = []
    else if (step.action === 'promote') stack.push({ version: step.version, digest: step.digest })
    else {
      stack.pop()
      // Where the promotion that it led back to is gone from the log.
      if (stack.at(-1)?.digest !== step.digest) stack.push({ version: step.version, digest: step.digest })
    }
  }
  const last = steps.at(-1)
  const top = stack.at(-1)
  return {
    current: top === undefined ? undefined : { ...top, at: last!.step.at },
    earlier: stack.at(-2),
    next: (last?.number ?? 0) + 1,
    history: steps.map(({ step }) => step),
  }
}
