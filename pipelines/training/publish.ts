// Step 4: publishes the new model, and makes it live if the rule says so.
import { Problem } from '../../core/errors.ts'
import { readPackageFiles } from '../../adapters/tfjs/package-files.ts'
import { LIMITS, runDvc, type StepContext } from './context.ts'
import { liveOf } from './evaluate.ts'
import { before, needed, type State } from './state.ts'
import { digestOf } from './train.ts'

export interface PublishOptions {
  /** Whether to upload data and results to DVC's remote, too. */
  readonly push: boolean
}

export async function publish (context: StepContext, state: State, { push }: PublishOptions): Promise<State> {
  const { registry, model, dvc } = context
  const { folder, digest } = needed(state, 'train')
  const { live, decision: { verdict } } = needed(state, 'evaluate')
  if (push && dvc === undefined) throw new Problem('invalid-settings', '--push needs DVC; leave --no-dvc out.')
  const now = (await liveOf(context))?.current
  if (now?.digest !== live?.digest) {
    throw new Problem(
      'alias-conflict',
      `"live" of "${model}" was ${nameOf(live)} when the models were compared, and is ${nameOf(now)} now; ` +
        'compare again: npm run retrain -- evaluate.'
    )
  }
  if (await digestOf(folder) !== digest) {
    throw new Problem(
      'invalid-settings',
      `${folder} was written anew since the step train; run "npm run retrain -- train" again.`
    )
  }
  // First, so that no model goes live that nobody can reproduce.
  if (push) await runDvc(context, dvc!, ['push'], LIMITS.pull)
  const { version, existed } = await registry.publish(folder, await readPackageFiles(folder))
  if (verdict === 'promote') await registry.promote(model, version)
  return {
    ...before('publish', state),
    publish: { at: context.now(), version, existed, promoted: verdict === 'promote', pushed: push },
  }
}

const nameOf = (live: { version: number } | null | undefined): string =>
  live === null || live === undefined ? 'nothing' : `version ${live.version}`
