// A running service on a registry in a folder, and packages for it.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Series } from '../../core/series/series.ts'
import { type PackageFiles, verifyModelPackage } from '../../adapters/tfjs/package-files.ts'
import { type Config, readConfig } from '../settings/config.ts'
import { ComputeAnswerSchema } from '../schemas/compute.ts'
import { StatusSchema } from '../schemas/status.ts'
import { type RunningService, serve } from '../serve.ts'
import { writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { jsonOf, windSeries } from './fixture.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'registry-'))
/** Different seeds give different packages. */
export const pack = async (name: string, seed: string): Promise<PackageFiles> =>
  writePackage(join(folder(), name), name, windSeries(600, seed))
export const one = await pack('wind', 'one')
export const two = await pack('wind', 'two')
export const digestOf = (of: PackageFiles): string => verifyModelPackage('it', of).digest
export const TEN = windSeries(60, 'ten')

interface Api {
  readonly service: RunningService
  readonly location: string
  call(
    method: string,
    path: string,
    body?: object | Buffer,
    headers?: Record<string, string>,
  ): Promise<{ status: number, body: Record<string, unknown>, headers: Headers }>
  compute(series: Series, model?: string): Promise<ReturnType<typeof ComputeAnswerSchema.parse>>
  status(): Promise<ReturnType<typeof StatusSchema.parse>>
}

/** A service on a registry of its own. */
export async function start (
  t: Pick<Test, 'teardown'>,
  { location = folder(), ...env }: Record<string, string> = {}
): Promise<Api> {
  const config: Config = {
    ...readConfig({
      SERVICE_PORT: '0',
      MODEL_REGISTRY: location,
      MODEL_REGISTRY_POLL_MS: '200',
      COMPUTE_WORKERS: '1',
      ...env,
    }),
    logLevel: 'silent',
  }
  const service = await serve(config, { logger: false })
  t.teardown(() => service.close())
  await service.ready
  const call: Api['call'] = async (method, path, body, headers = {}) => {
    const isBytes = Buffer.isBuffer(body)
    const response = await fetch(service.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': isBytes ? 'application/x-tar' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: (response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : { text }) as Record<
        string,
        unknown
      >,
    }
  }
  return {
    service,
    location,
    call,
    compute: async (series, model) =>
      ComputeAnswerSchema.parse(
        (await call('POST', '/compute', { ...jsonOf(series), ...(model !== undefined && { model }) })).body
      ),
    status: async () => StatusSchema.parse((await call('GET', '/status')).body),
  }
}

export async function until<T> (what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(50)
  }
  throw new Error(`it did not happen: ${what}`)
}
