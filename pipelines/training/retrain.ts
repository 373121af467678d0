// One step after another, each with its report; what fails is told, and leaves the live model as it is.
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

/** @returns what came of it, in a sentence. @throws whatever a step throws, once it is reported */
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

/** What earlier steps left, if they were on this model and registry. */
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
