// `npm run services -- install|start|stop [minio]`: the servers of the integration tests by hand; `npm run test:integration` needs none of it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { installMinio, startMinio } from './services/minio.ts'
import { isRunning, RUN_DIR } from './services/server.ts'

const say = (line: string): void => { process.stdout.write(`services  ${line}\n`) }
const note = join(RUN_DIR, 'minio.json')

interface Note { readonly pid: number, readonly url: string, readonly accessKey: string, readonly secretKey: string }

function running (): Note | undefined {
  try {
    const found = JSON.parse(readFileSync(note, 'utf8')) as Note
    return isRunning(found.pid) ? found : undefined
  } catch {
    return undefined
  }
}

async function start (): Promise<void> {
  const there = running()
  const { pid, url, accessKey, secretKey } = there ?? await startMinio({ folder: join(RUN_DIR, 'minio'), detached: true })
  mkdirSync(RUN_DIR, { recursive: true })
  writeFileSync(note, JSON.stringify({ pid, url, accessKey, secretKey }), { mode: 0o600 })
  say(`minio ${there === undefined ? 'started' : 'runs already'} at ${url}, log ${join(RUN_DIR, 'minio/minio.log')}; its keys stand in ${note}`)
}

function stop (): void {
  const there = running()
  if (there !== undefined) process.kill(there.pid, 'SIGTERM')
  rmSync(note, { force: true })
  say(there === undefined ? 'minio does not run' : 'minio is being stopped; its data stay')
}

const name = new Argument('[server]').choices(['minio']).default('minio')
const program = new Command('services').description('The servers of the integration tests, built or installed from package registries.')
program.command('install').addArgument(name).action(() => { installMinio(); say('minio is installed') })
program.command('start').addArgument(name).action(start)
program.command('stop').addArgument(name).action(stop)
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`services  ${(error as Error).message}\n`)
  process.exitCode = 1
}
process.exit()
