// `npm run dead -- list|replay`: lists the records that steps could not use, and replays them.
import { Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { readEnvironment } from '../../adapters/settings/environment.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import { openLog } from '../adapters/open-log.ts'
import { LOG_SETTINGS } from '../settings/log.ts'
import { type Chosen, listDead, replayDead } from './dead-letters.ts'

const whole = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

const print = (line: string): void => { process.stdout.write(`${line}\n`) }

async function withLog (work: (log: Awaited<ReturnType<typeof openLog>>) => Promise<void>): Promise<void> {
  const settings = parseSettings(z.object(LOG_SETTINGS), readEnvironment())
  const log = await openLog(settings, {
    warn: (_: unknown, message?: string) => {
      process.stderr.write(`${message ?? ''}\n`)
    },
  })
  try {
    await work(log)
  } finally {
    await log.close()
  }
}

const program = new Command('npm run dead --').description(
  'Records that steps could not use, with the reason (KAFKA_BROKERS names the log).'
)
const command = (name: string): Command =>
  program.command(name)
    .option('--topic <topic>', 'only those of this topic, such as observations.raw.v1')
    .option('--reason <code>', 'only those that were rejected for this reason')
    .option('--offset <n>', 'only the one at this offset of the dead letters', whole)
command('list').description('shows them, the newest last')
  .option('--limit <n>', 'at most this many, the newest', whole, 100)
  .option('--json', 'one JSON document per line, with the whole record')
  .action(async (chosen: Chosen & { limit: number, json?: boolean }) =>
    withLog(async (log) => {
      await listDead(log, chosen, print)
    })
  )
command('replay').description(
  'sends the originals back to their topic; they stay listed, and those rejected again are listed again'
)
  .action(async (chosen: Chosen) =>
    withLog(async (log) => {
      await replayDead(log, chosen, print)
    })
  )

try {
  await program.parseAsync()
} catch (error) {
  const { code, message } = error as Error & { code?: string }
  process.stderr.write(`error${code === undefined ? '' : ` ${code}`}: ${message}\n`)
  process.exitCode = 1
}
