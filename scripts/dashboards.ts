// `npm run dashboards`: puts the dashboards of the stream into InfluxDB, and into Grafana where GRAFANA_URL is set.
// Doing it again changes nothing.
import { readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Problem } from '../core/errors.ts'
import { readEnvironment } from '../adapters/settings/environment.ts'
import { parseSettings } from '../adapters/settings/values.ts'
import { DATABASE_SETTINGS } from '../pipelines/settings/database.ts'

const { INFLUX_URL, INFLUX_TOKEN, INFLUX_BUCKET, INFLUX_RAW_BUCKET } = DATABASE_SETTINGS

const SETTINGS = z.object({
  INFLUX_URL: INFLUX_URL.unwrap(),
  INFLUX_TOKEN: z.string().meta(INFLUX_TOKEN.meta()!),
  INFLUX_ORG: z.string(),
  INFLUX_BUCKET,
  INFLUX_RAW_BUCKET,
  GRAFANA_URL: z.url({ protocol: /^https?$/ }).optional().describe(
    'Grafana: its address. Default: its dashboard is left alone.'
  ),
  GRAFANA_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'A token of a service account of Grafana that may write data sources and dashboards.',
  }),
})
type Settings = z.output<typeof SETTINGS>

const FOLDER = resolve(import.meta.dirname, '../pipelines/dashboards')
const STACK = 'anomaly-stream'
const TIMEOUT_MS = 30_000

const read = (path: string): string => readFileSync(join(FOLDER, path), 'utf8')

/** Some JSON of an API. @throws Problem server-unavailable, or with what the server says */
async function ask<Answer> (url: string, authorization: string, method: string, body?: unknown): Promise<Answer> {
  const request = {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  const response = await fetch(url, request).catch((cause: unknown) => {
    throw new Problem('server-unavailable', `${new URL(url).origin} does not answer.`, { cause })
  })
  const text = await response.text()
  if (!response.ok) {
    throw new Problem(
      'invalid-request',
      `${method} ${url} was refused with ${response.status}: ${text.slice(0, 500)}`,
      { extensions: { status: response.status } }
    )
  }
  return JSON.parse(text) as Answer
}

interface Resource { readonly kind: string, readonly spec: { readonly name: string, values?: string[] } }

/** The template with the buckets of the settings. */
export function influxTemplate (bucket: string, rawBucket: string): Resource[] {
  const resources = JSON.parse(read('influxdb.json')) as Resource[]
  for (const { spec } of resources) {
    if (spec.name === 'stream_bucket') spec.values = [bucket]
    if (spec.name === 'raw_bucket') spec.values = [rawBucket]
  }
  return resources
}

/**
 * A stack remembers what a template has made, so that the next time it is changed and not made again.
 * @returns the id of the dashboard
 */
export async function applyToInflux (
  { INFLUX_URL: url, INFLUX_TOKEN: token, INFLUX_ORG: org, INFLUX_BUCKET: bucket, INFLUX_RAW_BUCKET: rawBucket }:
  Settings
): Promise<string> {
  const api = async <Answer>(path: string, method = 'GET', body?: unknown): Promise<Answer> =>
    ask(new URL(`/api/v2/${path}`, url).href, `Token ${token}`, method, body)
  const orgID = (await api<{ orgs: Array<{ id: string }> }>(`orgs?${new URLSearchParams({ org })}`)).orgs[0]!.id
  const { stacks = [] } = await api<{ stacks?: Array<{ id: string }> }>(
    `stacks?${new URLSearchParams({ orgID, name: STACK })}`
  )
  const stackID = stacks[0]?.id ??
    (await api<{ id: string }>('stacks', 'POST', {
      orgID,
      name: STACK,
      description: 'Dashboards of the anomaly stream',
    })).id
  const applied = await api<{ summary: { dashboards: Array<{ id: string }> } }>('templates/apply', 'POST', {
    orgID,
    stackID,
    template: { contents: influxTemplate(bucket, rawBucket) },
  })
  return applied.summary.dashboards[0]!.id
}

async function applyToGrafana (settings: Settings, url: string): Promise<void> {
  const authorization = `Bearer ${settings.GRAFANA_TOKEN ?? ''}`
  const source = {
    name: 'Anomaly stream',
    uid: 'stream-influxdb',
    type: 'influxdb',
    access: 'proxy',
    url: settings.INFLUX_URL,
    jsonData: { version: 'Flux', organization: settings.INFLUX_ORG, defaultBucket: settings.INFLUX_BUCKET },
    secureJsonData: { token: settings.INFLUX_TOKEN },
  }
  await ask(new URL('/api/datasources', url).href, authorization, 'POST', source).catch(async (error: unknown) => {
    if (!(error instanceof Problem) || error.extensions['status'] !== 409) throw error
    await ask(new URL(`/api/datasources/uid/${source.uid}`, url).href, authorization, 'PUT', source)
  })
  await ask(new URL('/api/dashboards/db', url).href, authorization, 'POST', {
    dashboard: grafanaDashboard(settings.INFLUX_RAW_BUCKET),
    overwrite: true,
  })
}

interface Dashboard {
  readonly templating: { readonly list: Array<{ readonly name: string, query: string }> }
  readonly panels: ReadonlyArray<
    { readonly title: string, readonly targets: ReadonlyArray<{ readonly query: string }> }
  >
}

export function grafanaDashboard (rawBucket: string): Dashboard {
  const dashboard = JSON.parse(read('grafana/dashboards/stream.json')) as Dashboard
  for (const variable of dashboard.templating.list) if (variable.name === 'raw_bucket') variable.query = rawBucket
  return dashboard
}

async function main (): Promise<void> {
  const settings = parseSettings(SETTINGS, readEnvironment())
  const id = await applyToInflux(settings)
  process.stdout.write(`dashboards  ${new URL(`/dashboards/${id}`, settings.INFLUX_URL).href}\n`)
  if (settings.GRAFANA_URL === undefined) return
  await applyToGrafana(settings, settings.GRAFANA_URL)
  process.stdout.write(`dashboards  ${new URL('/d/anomaly-stream', settings.GRAFANA_URL).href}\n`)
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main().catch((error: unknown) => {
    process.stderr.write(`dashboards  ${(error as Error).message}\n`)
    process.exitCode = 1
  })
}
