// The sink as a process: all topics → InfluxDB, Cassandra or SQLite.
import { openDatabase } from '../../adapters/open-database.ts'
import { SINK_SETTINGS } from '../../settings/sink.ts'
import { runStepProgram } from '../../runtime/step-program.ts'
import { sinkKind } from './step.ts'

await runStepProgram({
  name: 'sink',
  settings: SINK_SETTINGS,
  port: ({ SINK_PORT }) => SINK_PORT,
  open: async (settings, { logger, metrics }) => {
    const database = await openDatabase(settings)
    logger.info({ database: database.location }, 'keeping the stream')
    const kind = sinkKind({
      database,
      onTrouble: (error) => {
        metrics.failed('sending')
        logger.warn({ problem: error.message }, 'the database does not answer; trying again')
      },
    })
    return { kind, close: async () => database.close() }
  },
})
