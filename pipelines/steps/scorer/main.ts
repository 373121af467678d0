// The scorer as a process: observations.regular.v1 → verdicts.v1 and incidents.v1.
import { LiveModel } from '../../../adapters/follow-model/live-model.ts'
import { MODEL_SETTINGS } from '../../settings/models.ts'
import { incidentRules, SCORER_SETTINGS } from '../../settings/scorer.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { scorerKind } from './step.ts'

await runStepProgram({
  name: 'scorer',
  settings: { ...MODEL_SETTINGS, ...SCORER_SETTINGS },
  port: ({ SCORER_PORT }) => SCORER_PORT,
  async open (settings, { logger }) {
    const live = await LiveModel.open(settings, { log: logger })
    const kind = scorerKind({ live, topChannels: settings.SCORER_TOP_CHANNELS, incidents: incidentRules(settings) })
    return {
      kind,
      waitingFor: () => live.waitingFor(),
      refresh: async () => live.refresh(),
      close: async () => live.close(),
    }
  },
})
