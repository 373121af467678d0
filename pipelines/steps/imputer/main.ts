// The imputer as a process: observations.raw.v1 → observations.regular.v1.
import { LiveModel } from '../../../adapters/follow-model/live-model.ts'
import { IMPUTER_SETTINGS } from '../../settings/imputer.ts'
import { MODEL_SETTINGS } from '../../settings/models.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { imputerKind } from './step.ts'
import { loadStrategy } from './strategies/load-strategy.ts'

await runStepProgram({
  name: 'imputer',
  settings: { ...MODEL_SETTINGS, ...IMPUTER_SETTINGS },
  port: ({ IMPUTER_PORT }) => IMPUTER_PORT,
  async open (
    {
      IMPUTER_STRATEGY,
      IMPUTER_LATENESS: lateness,
      IMPUTER_PATIENCE_MS: patience,
      IMPUTER_MAX_AHEAD: maxAhead,
      ...settings
    },
    { logger }
  ) {
    const strategy = await loadStrategy(IMPUTER_STRATEGY)
    const live = await LiveModel.open(settings, { log: logger })
    const kind = imputerKind({ live, strategy, lateness, patience, maxAhead })
    return {
      kind,
      waitingFor: () => live.waitingFor(),
      refresh: async () => live.refresh(),
      close: async () => live.close(),
    }
  },
})
