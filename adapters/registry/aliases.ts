// The current state of an alias, from its log of promotions and rollbacks.
import type { Step } from './records.ts'

export interface NumberedStep {
  readonly number: number
  readonly step: Step
}

export interface AliasState {
  /** The version that the alias stands for, and since when; undefined if it stands for nothing. */
  readonly current: { readonly version: number, readonly digest: string, readonly at: string } | undefined
  /** The version that a rollback restores. */
  readonly earlier: { readonly version: number, readonly digest: string } | undefined
  /** The number that the next step gets. */
  readonly next: number
  /** Oldest first. */
  readonly history: readonly Step[]
}

/**
 * The versions form a stack: a promotion pushes one, a rollback pops one, `clear` empties it. Two rollbacks undo two
 * promotions.
 * @param steps in the order of their numbers; the first ones may be missing
 */
export function aliasState (steps: readonly NumberedStep[]): AliasState {
  let stack: Array<{ version: number, digest: string }> = []
  for (const { step } of steps) {
    if (step.action === 'clear') stack = []
    else if (step.action === 'promote') stack.push({ version: step.version, digest: step.digest })
    else {
      stack.pop()
      // The log no longer holds the promotion that this rollback restored.
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
