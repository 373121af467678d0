// Alertmanager, built from its Go module: alone, on a loopback port, with data of its own, and nobody to tell.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GoProgram, goProgram, installGoProgram } from './go.ts'
import { controlled, freePort, installed, type RunningServer, startServer } from './server.ts'

const PROGRAM: GoProgram = {
  name: 'alertmanager',
  version: '0.28.1',
  path: 'github.com/prometheus/alertmanager/cmd/alertmanager',
}

export const installAlertmanager = (): void => { installGoProgram(PROGRAM) }

export const alertmanagerVersion = (): string => PROGRAM.version

/** @throws Error where it is not installed or does not start */
export async function startAlertmanager (
  { folder = mkdtempSync(join(tmpdir(), 'alertmanager-')), detached = false }: { folder?: string, detached?: boolean } =
  {}
): Promise<RunningServer> {
  const program = installed(goProgram(PROGRAM), 'alertmanager')
  const address = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'alertmanager.yml')
  mkdirSync(folder, { recursive: true })
  writeFileSync(config, 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n')
  return controlled(async () =>
    startServer({
      program,
      args: [
        `--config.file=${config}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--cluster.listen-address=',
      ],
      log: join(folder, 'alertmanager.log'),
      readyUrl: `http://${address}/-/ready`,
      detached,
    }), { url: `http://${address}` })
}
