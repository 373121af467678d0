// `npm run stack`: the stream over a real Kafka and InfluxDB, every step a process, and a simulated fleet that is
// played against it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { DEFAULT_REGISTRY } from '../adapters/registry/open-store.ts'
import { installInfluxdb } from './services/influxdb.ts'
import { installKafka } from './services/kafka.ts'
import { endServer, RUN_DIR } from './services/server.ts'
import { Stack } from './stack/stack.ts'

const root = resolve(import.meta.dirname, '..')
const FOLDER = join(RUN_DIR, 'stack')
const PORTS = { collector: 8300, dashboard: 8301, imputer: 8302, scorer: 8303, sink: 8304, notifier: 8305 } as const

const say = (line: string): void => { process.stdout.write(`stack  ${line}\n`) }

async function run (script: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, script), ...args], { stdio: ['ignore', 2, 2] })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve).once('error', reject)
  })
  if (code !== 0) throw new Error(`${script} ended with status ${code}`)
}

function play (series: number, speed: number): ChildProcess {
  const output = openSync(join(FOLDER, 'generator.log'), 'a')
  const args = ['--url', `http://127.0.0.1:${PORTS.collector}`, '--series', String(series), '--speed', String(speed)]
  return spawn(process.execPath, ['--import', 'tsx', join(root, 'pipelines/generator/main.ts'), ...args], {
    stdio: ['ignore', output, output],
  })
}

interface Flags { registry: string, series: number, speed: number, generator: boolean }

async function main ({ registry, series, speed, generator }: Flags): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        resolve()
      })
    }
  })
  mkdirSync(FOLDER, { recursive: true })
  say('installing Kafka and InfluxDB, where they are not (InfluxDB is compiled, which takes some minutes)')
  installKafka()
  installInfluxdb()
  await run('model-creation/first-model.ts', ['--registry', registry])
  const notifies = ['WEBHOOK_URL', 'ALERTMANAGER_URL'].some((name) => (process.env[name] ?? '') !== '')
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  )
  const stack = await Stack.start({
    folder: FOLDER,
    registry,
    ports: PORTS,
    env,
    steps: ['collector', 'imputer', 'scorer', 'sink', 'dashboard', ...notifies ? ['notifier' as const] : []],
  })
  const player = generator ? play(series, speed) : undefined
  say(`the live fleet: ${stack.step('dashboard').url}`)
  say(
    `observations: POST ${stack.step('collector').url}/observations; Kafka ${stack.kafka.url}, ` +
      `InfluxDB ${stack.influx.url}; logs in ${FOLDER}; stop with Ctrl-C`
  )
  await stopped
  say('ending')
  if (player !== undefined) await endServer(player, 'SIGTERM')
  await stack.stop()
}

const number = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

const program = new Command('npm run stack --')
  .description(
    'The stream over real servers, which are installed first; data and logs stay in .cache/services/run/stack.'
  )
  .option('--registry <location>', 'whose live model scores', DEFAULT_REGISTRY)
  .option('--series <n>', 'simulated turbines', number, 20)
  .option('--speed <n>', 'simulated seconds in one real second', number, 600)
  .option('--no-generator', 'plays nothing: what is posted comes from elsewhere')
  .action(main)
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`stack  ${(error as Error).message}\n`)
  process.exitCode = 1
}
process.exit()
