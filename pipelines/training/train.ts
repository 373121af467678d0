// Step 2: runs the training pipeline. With DVC, only the stages run whose inputs have changed.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/errors.ts'
import { LIMITS, PLACES, readPipeline, runDvc, runOwn, type StepContext } from './context.ts'
import { before, type State } from './state.ts'

export async function train (context: StepContext, state: State): Promise<State> {
  const { stages: names, folder } = await readPipeline()
  const ran = context.dvc === undefined
    ? await runOwn(context, 'pipeline', [], LIMITS.train).then(() => names)
    : stagesRun(await runDvc(context, context.dvc, ['repro', PLACES.pipeline], LIMITS.train))
  return {
    ...before('train', state),
    train: {
      at: context.now(),
      stages: names.map((name) => ({ name, ran: ran.includes(name) })),
      folder,
      digest: await digestOf(folder),
    },
  }
}

/** The stages that `dvc repro` ran, from its output; without those that it skipped or took from its cache. */
export function stagesRun (printed: string): string[] {
  return Array.from(printed.matchAll(/^Running stage '(?:[^']*:)?([^':]+)'/gm), ([, name]) => name!)
}

/** The digest of the package. @throws Problem invalid-model-package */
export async function digestOf (folder: string): Promise<string> {
  const text = await readFile(join(folder, 'digest.txt'), 'utf8').catch((cause: unknown) => {
    throw new Problem(
      'invalid-model-package',
      `${folder} holds no model package; train one first: npm run retrain -- train.`,
      { cause }
    )
  })
  return text.trim()
}
