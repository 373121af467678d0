// `npm run generate`: sends a simulated wind farm, or tables, to a collector.
import { Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { parseDuration } from '../../core/table/duration.ts'
import { readIsoTime } from '../../core/table/iso-time.ts'
import { readEnvironment } from '../../adapters/settings/environment.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import { pause } from '../../adapters/waiting.ts'
import { FAULT_TYPES, type FaultType } from '../../simulator/faults.ts'
import { csvFleet } from './csv-files.ts'
import { FAULT_MODES, type FaultMode, type OrderedFault } from './fault-plan.ts'
import { MOST_SERIES, seriesNames } from './fleet.ts'
import { defaultStart, type GeneratorOptions, startGenerator } from './generator.ts'
import { play } from './play.ts'
import { httpSender } from './send.ts'

const GENERATOR_SETTINGS = {
  GENERATOR_API_KEY: z.string().optional().meta({ secret: true, description: 'Key that is sent to the collector.' }),
}

interface Flags {
  url: string
  speed: number
  series: number
  faults: FaultMode
  fault?: OrderedFault[]
  csv?: string
  start?: number
  history?: number
  seed?: string
  dirt?: boolean
}

const DEFAULT_HISTORY = parseDuration('P2D')

const number = (least: number, most: number) => (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
  }
  return value
}

function duration (text: string): number {
  if (text === '0' || text === 'PT0S') return 0
  try {
    return parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function instant (text: string): number {
  const found = readIsoTime(text)
  if (found === undefined) {
    throw new InvalidArgumentError('It must be a time, such as 2026-01-31 or 2026-01-31T13:50:00Z.')
  }
  return Math.floor(found / 600_000) * 600_000
}

function fault (text: string, before: readonly OrderedFault[] = []): OrderedFault[] {
  const [, series, type, after] = /^([^:@]+):([a-z-]+)@(P.+)$/.exec(text) ?? []
  if (
    series === undefined || type === undefined || after === undefined ||
    !(FAULT_TYPES as readonly string[]).includes(type)
  ) {
    throw new InvalidArgumentError(
      `It must be SERIES:FAULT@DURATION, such as T03:bearing-overheating@PT2H; faults are ${FAULT_TYPES.join(', ')}.`
    )
  }
  return [...before, { series, type: type as FaultType, after: duration(after) }]
}

const print = (line: string): void => { process.stderr.write(`generate  ${line}\n`) }
const timeOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

/** Prints progress once a minute. */
function reporter (): Required<Pick<GeneratorOptions, 'onSent' | 'onFault'>> & {
  onRetry: (reason: string) => void,
  last: () => void,
} {
  let [sent, newest, retries, reason, since] = [0, 0, 0, '', Date.now()]
  /** Faults to print when they begin. */
  const planned: Array<Parameters<NonNullable<GeneratorOptions['onFault']>>[0]> = []
  const last = (): void => {
    if (sent > 0 || retries > 0) {
      const again = retries === 0 ? '' : `; sent again ${retries} times: ${reason}`
      print(`${sent} observations taken, the newest of ${timeOf(newest)} UTC${again}`)
    }
    ;[sent, retries, since] = [0, 0, Date.now()]
  }
  return {
    onSent: (count, time) => {
      [sent, newest] = [sent + count, time]
      while (planned[0] !== undefined && planned[0].start <= time) {
        const { series, type, end } = planned.shift()!
        print(`${timeOf(time)} UTC: ${type} of ${series} begins, until ${timeOf(end)}`)
      }
      if (Date.now() - since >= 60_000) last()
    },
    onRetry: (why) => {
      [retries, reason] = [retries + 1, why]
      if (Date.now() - since >= 60_000) last()
    },
    onFault: (fault) => { planned.push(fault) },
    last,
  }
}

async function run (flags: Flags): Promise<void> {
  const { GENERATOR_API_KEY: key } = parseSettings(z.object(GENERATOR_SETTINGS), readEnvironment())
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => { stopped.abort() })
  const { signal } = stopped
  const { last, onRetry, ...report } = reporter()
  const send = httpSender({ url: flags.url, key, signal, onRetry })
  const { speed, history = DEFAULT_HISTORY, start = defaultStart(Date.now()) } = flags
  print(
    `${flags.csv ?? `${flags.series} turbines`} → ${flags.url}, from ${timeOf(start)} UTC, ` +
      `${history / 3_600_000} h at once, then ${speed} seconds a second; stop with Ctrl-C`
  )
  try {
    if (flags.csv !== undefined) {
      await play({
        stretches: csvFleet(flags.csv, start),
        start,
        history,
        speed,
        send,
        now: Date.now,
        wait: async (milliseconds) => pause(milliseconds, signal),
        signal,
        onSent: report.onSent,
      })
    } else {
      await startGenerator({
        ...report,
        send,
        now: Date.now,
        signal,
        speed,
        history,
        start,
        series: flags.series,
        mode: flags.faults,
        ordered: flags.fault ?? [],
        dirt: flags.dirt === true,
        ...(flags.seed !== undefined && { seed: flags.seed }),
      })
    }
  } catch (error) {
    if (!signal.aborted) throw error
    print(`the last batch was not taken: ${(error as Error).message}`)
  } finally {
    last()
  }
}

const program = new Command('npm run generate --')
  .description(
    'Sends a simulated wind farm, or tables, to a collector: at a chosen speed, with faults, never ahead of the clock.'
  )
  .option('--url <url>', 'URL of the collector', 'http://127.0.0.1:8300')
  .option('--speed <n>', 'simulated seconds in one real second', number(0.001, 1e9), 600)
  .option('--series <n>', 'turbines', number(1, MOST_SERIES), 20)
  .addOption(
    new Option('--faults <mode>', 'demo: one at once, then more; random: rarely; none').choices(FAULT_MODES)
      .default('demo')
  )
  .option(
    '--fault <series:fault@duration>',
    'a fault at this time after live play begins, such as T03:bearing-overheating@PT2H; may be repeated',
    fault
  )
  .option('--csv <path>', 'a CSV file, or a folder of them, to play once instead of the farm')
  .option('--start <time>', 'time of the first observation; default: 90 days ago', instant)
  .option('--history <duration>', 'length of the part sent at once, before live play begins; default: P2D', duration)
  .option('--seed <text>', 'seed of the simulator; another seed is another farm')
  .option('--dirt', 'add gaps, repetitions, late observations and times off the grid')
  .action(async (flags: Flags) => {
    const unknown = flags.fault?.find(({ series }) => !seriesNames(flags.series).includes(series))
    if (unknown !== undefined) {
      const names = seriesNames(flags.series)
      program.error(
        `error: --fault: there is no series "${unknown.series}"; they are ${names[0]} to ${names.at(-1)}`
      )
    }
    await run(flags)
  })
try {
  await program.parseAsync()
} catch (error) {
  print((error as Error).message)
  process.exitCode = 1
}
