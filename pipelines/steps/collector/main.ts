// The collector as a process: observations over HTTP → observations.raw.v1.
import { COLLECTOR_SETTINGS, refuseOpenCollector } from '../../settings/collector.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { addCollector } from './app.ts'
import { addDocs } from './openapi.ts'

await runStepProgram({
  name: 'collector',
  settings: COLLECTOR_SETTINGS,
  port: ({ COLLECTOR_PORT }) => COLLECTOR_PORT,
  async open (settings, { app, log, metrics }) {
    refuseOpenCollector(settings.STREAM_HOST, settings)
    await addDocs(app)
    await addCollector(app, { log, settings, metrics, now: Date.now }, { documented: true })
    return {}
  },
})
