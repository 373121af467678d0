// `npm start` as a child process, for tests.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'

export const root = resolve(import.meta.dirname, '../..')

async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** Starts the service in `cwd`. `ready` gives the seconds until /readyz said 200. */
export async function start (
  t: Test,
  cwd: string
): Promise<
  { url: string, ready: (seconds: number) => Promise<number>, stop: () => Promise<number | null>, output: () => string }
> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(root, 'start.ts')], {
    cwd,
    env: { ...process.env, SERVICE_PORT: String(port), TFJS_BACKEND: 'wasm', MODELS_DIR: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  // Closed, not only exited: all that it and its children wrote is there.
  const exited = new Promise<number | null>((resolve) => { child.once('close', resolve) })
  t.teardown(() => { child.kill('SIGKILL') })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    output: () => output,
    stop: async () => {
      child.kill('SIGINT')
      return exited
    },
    ready: async (seconds) => {
      while (performance.now() - began < seconds * 1000) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output}`)
        const status = await fetch(`${url}/readyz`).then((response) => response.status, () => 0)
        if (status === 200) return (performance.now() - began) / 1000
        await new Promise((resolve) => { setTimeout(resolve, 50) })
      }
      throw new Error(`not ready within ${seconds} s: ${output}`)
    },
  }
}
