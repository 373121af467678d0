// Runs one step after another and reports each. A failure is reported, and leaves the live model as it is.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PLACES, type StepContext } from './context.ts'
import { evaluate } from './evaluate.ts'
import { publish, type PublishOptions } from './publish.ts'
import { pull, type PullOptions } from './pull.ts'
import { outcome, reportMarkdown } from './report.ts'
import { before, readState, type State, type StepName, writeState } from './state.ts'
import { train } from './train.ts'

type StepOptions = PullOptions & PublishOptions

const RUN: Record<StepName, (context: StepContext, state: State, options: StepOptions) => Promise<State>> = {
  pull,
  train,
  evaluate,
  publish,
}

/** @returns the outcome, in a sentence. @throws what a step throws, after reporting it */
export async function retrain (
  context: StepContext,
  steps: readonly StepName[],
  options: StepOptions
): Promise<string> {
  const { model, store: { location: registry } } = context
  let state = await stateOf(steps[0]!, { model, registry })
  for (const step of steps) {
    process.stderr.write(`== ${step}\n`)
    try {
      state = await RUN[step](context, state, options)
    } catch (error) {
      await write({ ...before(step, state), failure: { step, at: context.now(), message: (error as Error).message } })
      throw error
    }
    await write(state)
  }
  return outcome(state)
}

/** The state of earlier steps, if they worked on this model and registry. */
async function stateOf (first: StepName, fresh: State): Promise<State> {
  if (first === 'pull') return fresh
  const state = await readState(PLACES.state)
  return state?.model === fresh.model && state.registry === fresh.registry ? state : fresh
}

async function write (state: State): Promise<void> {
  await writeState(PLACES.state, state)
  await mkdir(dirname(PLACES.report), { recursive: true })
  await writeFile(PLACES.report, reportMarkdown(state))
}
