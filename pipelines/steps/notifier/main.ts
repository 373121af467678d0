// The notifier as a process: incidents.v1 → webhook, Alertmanager.
import { checkNotifier, NOTIFIER_SETTINGS } from '../../settings/notifier.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { notifierKind } from './step.ts'

await runStepProgram({
  name: 'notifier',
  settings: NOTIFIER_SETTINGS,
  port: ({ NOTIFIER_PORT }) => NOTIFIER_PORT,
  async open (settings) {
    checkNotifier(settings)
    return { kind: notifierKind(settings, Date.now) }
  },
})
