// Settings of the engines: their URLs, the announcement of this service, and the tasks that they may send.
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import { type Announcement, InputFieldsSchema, OutputFieldsSchema, SlugSchema, TagsSchema } from '../schemas/service.ts'
import type { AnswerType } from '../schemas/media.ts'
import { list, wholeNumber } from '../../adapters/settings/values.ts'

export interface EngineConfig {
  readonly urls: readonly string[]
  /** Protocol of the engines: since 2023, or that of 2022. */
  readonly dialect: 'current' | '2022'
  /** Whether POST /compute takes tasks of engines. */
  readonly takesTasks: boolean
  /** Hosts, with or without port, of object stores and callbacks. */
  readonly allowedHosts: readonly string[]
  readonly token: string | undefined
  readonly pingIntervalMs: number
  readonly retryDelayMs: number
  readonly callbackRetryMs: number
  readonly storageRetryMs: number
  readonly maxTasks: number
  /** Folder of the journal of unfinished tasks. */
  readonly tasksDir: string
  readonly tellsProgress: boolean
  /** Model that scores the tasks; default: the model whose channels match, else an ad-hoc model. */
  readonly model: string | undefined
  /** URL at which engines reach this service; default: the address that it listens on. */
  readonly serviceUrl: string | undefined
  readonly announcement: Omit<Announcement, 'url'>
  /** Media type of each announced output, in that order. */
  readonly outputs: readonly AnswerType[]
}

function urlFault (entry: string): string | undefined {
  const isUrl = /^https?:\/\//.test(entry) && URL.canParse(entry) && new URL(entry).search === '' &&
    new URL(entry).username === ''
  return isUrl ? undefined : 'a list of http or https URLs, without query, user or password'
}

const hostFault = (entry: string): string | undefined =>
  /^[^/@?#]+$/.test(entry) && URL.canParse(`http://${entry}`)
    ? undefined
    : 'a list of hosts, each with or without port, such as minio:9000'

/** A JSON list, or a list separated by commas. */
const listOrJson = (fault: (entry: string) => string | undefined): z.ZodType<readonly string[], string> =>
  z.string().transform((text, context) => {
    if (!text.trimStart().startsWith('[')) return text
    try {
      return z.array(z.string()).parse(JSON.parse(text)).join(' ')
    } catch {
      context.addIssue({ code: 'custom', message: 'a JSON list of strings, or a list separated by commas' })
      return z.NEVER
    }
  }).pipe(list(fault))

const json = <T>(schema: z.ZodType<T>): z.ZodType<T, string> => z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not JSON: ${(error as Error).message}` })
    return z.NEVER
  }
}).pipe(schema as z.ZodType<T, unknown>)

const url = z.string().refine((text) => urlFault(text) === undefined, 'an http or https URL').transform((text) =>
  text.replace(/\/+$/, '')
)

const SUMMARY = 'Finds anomalies in time series with autoencoders'
const DESCRIPTION =
  'Upload a table (CSV with any delimiter, with or without header and timestamps, or JSON; plain or gzip). Every ' +
  'observation gets a score, 1 is the threshold of the model, and anomalies are listed with the channels to blame. ' +
  'Channels that no model knows get one fitted on the series itself. Outputs, in this order: a plot of channels, ' +
  'expected bands, scores and anomalies (PNG), and the result (JSON).'

export const ENGINE_SETTINGS = {
  ENGINE_URLS: listOrJson(urlFault).default([]).describe(
    'Engines to which the service announces itself: URLs, as a JSON list or separated by commas.'
  ),
  ENGINE_DIALECT: z.enum(['current', '2022']).default('current').describe(
    'Protocol of the engines: current (since 2023), or 2022.'
  ),
  ENGINE_TASKS: z.enum(['auto', 'on', 'off']).default('auto').describe(
    'Whether POST /compute takes tasks of engines; auto: if ENGINE_URLS is set.'
  ),
  ENGINE_ALLOWED_HOSTS: list(hostFault).default([]).describe(
    'Hosts that tasks may name as object store or callback, besides those of ENGINE_URLS; with or without port.'
  ),
  ENGINE_TOKEN: z.string().optional().meta({
    secret: true,
    description: 'Sent to the engines of ENGINE_URLS as a bearer token.',
  }),
  ENGINE_PING_INTERVAL_MS: wholeNumber(100, 3_600_000).default(10_000).describe(
    'Time between two heartbeats; engines accept up to 15 seconds.'
  ),
  ENGINE_RETRY_DELAY_MS: wholeNumber(10, 10_000).default(1_000).describe(
    'Pause before the first retry of a call; it doubles from retry to retry, up to 10 seconds.'
  ),
  ENGINE_CALLBACK_RETRY_MS: wholeNumber(0, 86_400_000).default(900_000).describe(
    'How long the service retries to report the outcome of a task.'
  ),
  ENGINE_STORAGE_RETRY_MS: wholeNumber(0, 3_600_000).default(60_000).describe(
    'How long the service retries an object store that does not answer, before the task fails.'
  ),
  ENGINE_PROGRESS: z.enum(['on', 'off']).default('off').describe(
    'Whether the service reports to the engine that it begins to score a task.'
  ),
  ENGINE_MODEL: z.string().optional().describe(
    'Model that scores the tasks. Default: the one with exactly the channels of the file, else one fitted on it.'
  ),
  MAX_TASKS: wholeNumber(1, 10_000).default(50).describe('Most tasks that wait or run; further ones are refused.'),
  TASKS_DIR: z.string().default('.tasks').describe(
    'Folder that lists the unfinished tasks, so that the next start can report them after a crash.'
  ),
  SERVICE_URL: url.optional().describe('Where engines reach this service. Default: the address that it listens on.'),
  SERVICE_NAME: z.string().default('Autoencoder anomaly detection'),
  SERVICE_SLUG: SlugSchema.default('ae-anomaly-detection').describe('Name of the service in the URLs of engines.'),
  SERVICE_SUMMARY: z.string().default(SUMMARY),
  SERVICE_DESCRIPTION: z.string().default(DESCRIPTION),
  SERVICE_TAGS: json(TagsSchema).default([{ name: 'Anomaly Detection', acronym: 'AD' }, {
    name: 'Time Series',
    acronym: 'TS',
  }]).describe('JSON list of {"name", "acronym"}, from the engine\'s lists.'),
  SERVICE_DOCS_URL: url.optional().describe(
    'Documentation for people. Default: the announcement names none.'
  ),
  SERVICE_HAS_AI: z.enum(['true', 'false']).default('true'),
  SERVICE_DATA_IN_FIELDS: json(InputFieldsSchema).default([{
    name: 'text',
    type: ['text/csv', 'text/plain', 'application/json'],
  }]).describe('JSON list of {"name", "type"}; the first input is scored.'),
  SERVICE_DATA_OUT_FIELDS: json(OutputFieldsSchema).default([{ name: 'plot', type: ['image/png'] }, {
    name: 'result',
    type: ['application/json'],
  }])
    .describe(
      'JSON list of {"name", "type"}: image/png gives the plot, application/json the result, text/csv the result as ' +
        'a table.'
    ),
}

type EngineSettings = Readonly<z.output<z.ZodObject<typeof ENGINE_SETTINGS>>>

/** @throws Problem invalid-settings if settings contradict each other */
export function engineOf (settings: EngineSettings): EngineConfig {
  const urls = settings.ENGINE_URLS.map((entry) => entry.replace(/\/+$/, ''))
  const takesTasks = settings.ENGINE_TASKS === 'on' || (settings.ENGINE_TASKS === 'auto' && urls.length > 0)
  const allowedHosts = [...urls.map((entry) => new URL(entry).hostname), ...settings.ENGINE_ALLOWED_HOSTS]
  if (takesTasks && allowedHosts.length === 0) {
    throw new Problem(
      'invalid-settings',
      'ENGINE_TASKS is on, but there is no host that tasks may name. Set ENGINE_URLS, or set ' +
        'ENGINE_ALLOWED_HOSTS to the hosts of the object store and of the engine.',
      { items: [{ pointer: '/ENGINE_TASKS', detail: 'needs ENGINE_URLS or ENGINE_ALLOWED_HOSTS' }] }
    )
  }
  return {
    urls,
    dialect: settings.ENGINE_DIALECT,
    takesTasks,
    allowedHosts,
    token: settings.ENGINE_TOKEN,
    pingIntervalMs: settings.ENGINE_PING_INTERVAL_MS,
    retryDelayMs: settings.ENGINE_RETRY_DELAY_MS,
    callbackRetryMs: settings.ENGINE_CALLBACK_RETRY_MS,
    storageRetryMs: settings.ENGINE_STORAGE_RETRY_MS,
    maxTasks: settings.MAX_TASKS,
    tasksDir: settings.TASKS_DIR,
    tellsProgress: settings.ENGINE_PROGRESS === 'on',
    model: settings.ENGINE_MODEL,
    serviceUrl: settings.SERVICE_URL,
    announcement: announcementOf(settings),
    outputs: settings.SERVICE_DATA_OUT_FIELDS.map(outputOf),
  }
}

function announcementOf (settings: EngineSettings): Omit<Announcement, 'url'> {
  return {
    name: settings.SERVICE_NAME,
    slug: settings.SERVICE_SLUG,
    summary: settings.SERVICE_SUMMARY,
    description: settings.SERVICE_DESCRIPTION,
    status: 'available',
    data_in_fields: settings.SERVICE_DATA_IN_FIELDS,
    data_out_fields: settings.SERVICE_DATA_OUT_FIELDS,
    tags: settings.SERVICE_TAGS,
    has_ai: settings.SERVICE_HAS_AI === 'true',
    ...(settings.SERVICE_DOCS_URL !== undefined && { docs_url: settings.SERVICE_DOCS_URL }),
  }
}

const OUTPUT_TYPES = ['image/png', 'application/json', 'text/csv'] as const satisfies readonly AnswerType[]

/** The first type of the output that the service can make. */
function outputOf ({ name, type }: Announcement['data_out_fields'][number], i: number): AnswerType {
  const found = type.find((mediaType) => (OUTPUT_TYPES as readonly string[]).includes(mediaType))
  if (found !== undefined) return found as AnswerType
  throw new Problem(
    'invalid-settings',
    `SERVICE_DATA_OUT_FIELDS: the service can make none of the types of the output "${name}"; name one of ` +
      `${OUTPUT_TYPES.join(', ')}.`,
    { items: [{ pointer: `/SERVICE_DATA_OUT_FIELDS/${i}/type`, detail: 'cannot be made', got: type.join(', ') }] }
  )
}
