// The dashboard as a process: shows live messages from the log, and the history from the database.
import { Problem } from '../../../core/errors.ts'
import { addProtectiveHeaders } from '../../../adapters/http/protective-headers.ts'
import { randomId } from '../../../adapters/identifiers.ts'
import { openStore } from '../../../adapters/registry/open-store.ts'
import { openDatabase } from '../../adapters/open-database.ts'
import { admitsOf, DASHBOARD_SETTINGS, refuseOpenDashboard } from '../../settings/dashboard.ts'
import { DATABASE_SETTINGS } from '../../settings/database.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { annotateInto } from './annotate.ts'
import { addDashboard } from './app.ts'
import { LiveFeed } from './live-feed.ts'
import { sendProblem } from './problems.ts'
import { dashboardKind } from './step.ts'

await runStepProgram({
  name: 'dashboard',
  settings: { ...DASHBOARD_SETTINGS, ...DATABASE_SETTINGS },
  port: ({ DASHBOARD_PORT }) => DASHBOARD_PORT,
  async open (settings, { app, log, metrics }) {
    refuseOpenDashboard(settings.STREAM_HOST, settings)
    const store = await openStore('MODEL_REGISTRY', settings.MODEL_REGISTRY, settings)
    const database = await openDatabase(settings)
    const live = new LiveFeed(database)
    addProtectiveHeaders(app)
    app.setErrorHandler<Error>((error, request, reply) => sendProblem(error, request, reply))
    app.setNotFoundHandler((request) => {
      throw new Problem('not-found', `There is no ${request.method} of this path; the page is at /.`)
    })
    const { broadcast } = await addDashboard(app, {
      database,
      live,
      annotate: annotateInto({ log, store }),
      page: '/',
      admits: admitsOf(settings),
    })
    metrics.gauge('pages_open', 'Browsers that are connected.', () => broadcast.size)
    // Each process has its own group, so that it gets all messages from now on. Earlier ones are in the database.
    return {
      kind: dashboardKind(live),
      group: `dashboard-${randomId()}`,
      from: 'latest',
      close: async () => {
        store.close()
        await database.close()
      }
    }
  },
})
