// Step 3: judges the new model and the live one on the same held-back data, and decides by the rule.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../core/errors.ts'
import type { AliasState } from '../../adapters/registry/aliases.ts'
import type { Step } from '../../adapters/registry/records.ts'
import { LIMITS, runOwn, type StepContext } from './context.ts'
import { decide } from './rule.ts'
import { before, ComparisonSchema, needed, type State } from './state.ts'
import { digestOf } from './train.ts'

export async function evaluate (context: StepContext, state: State): Promise<State> {
  const { folder, digest } = needed(state, 'train')
  const found = await digestOf(folder)
  if (found !== digest) {
    throw new Problem(
      'invalid-settings',
      `${folder} holds ${found}, but the step train wrote ${digest}; run "npm run retrain -- train" again.`
    )
  }
  const alias = await liveOf(context)
  const live = alias?.current === undefined ? null : { version: alias.current.version, digest: alias.current.digest }
  const comparison = await compare(context, folder, live?.digest === digest ? null : live)
  const [candidate, other] = comparison.packages
  const decision = decide(
    candidate!,
    live?.digest === digest ? candidate : other,
    wasRolledBack(alias?.history ?? [], digest)
  )
  return {
    ...before('evaluate', state),
    evaluate: { at: context.now(), live, comparison, decision: { ...decision, clauses: [...decision.clauses] } },
  }
}

/** The alias `live`; undefined if the registry does not know the model yet. */
export async function liveOf ({ registry, model }: StepContext): Promise<AliasState | undefined> {
  return (await registry.list()).find(({ name }) => name === model)?.aliases.live
}

/** Whether the latest change of this package was a rollback. */
export function wasRolledBack (history: readonly Step[], digest: string): boolean {
  const stack: string[] = []
  let taken = false
  for (const step of history) {
    if (step.action === 'promote') {
      stack.push(step.digest)
      if (step.digest === digest) taken = false
    } else if (step.action === 'rollback' && stack.pop() === digest) taken = true
  }
  return taken
}

/** Judges both packages. Each one proves its golden scores on the way. */
async function compare (context: StepContext, folder: string, live: { version: number, digest: string } | null) {
  const work = await mkdtemp(join(tmpdir(), 'retrain-'))
  try {
    if (live !== null) {
      for (const [name, content] of await context.registry.fetch(context.model, live)) {
        await writeFile(join(work, name), content)
      }
    }
    return ComparisonSchema.parse(
      JSON.parse(await runOwn(context, 'compare', [folder, ...(live === null ? [] : [work])], LIMITS.evaluate))
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
