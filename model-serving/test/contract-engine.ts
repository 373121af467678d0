// An engine of version 1.2.0 as services see it: strict about every body, with its quirks, its clock and its failures
// in the test's hand. Written from observed exchanges with a real one.
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { HttpClient, HttpMessage } from '../adapters/http-client.ts'
import { ENGINE_MEDIA_TYPES } from '../schemas/service.ts'

const STATUSES = [
  'pending',
  'fetching',
  'processing',
  'saving',
  'finished',
  'error',
  'scheduled',
  'skipped',
  'unavailable',
  'archived',
] as const
const TAGS = [
  'Generic GNR',
  'Anomaly Detection AD',
  'Time Series TS',
  'Recommendation R',
  'Data Preprocessing DPP',
  'Neural Networks NN',
  'Explainable AI XAI',
]

const FieldSchema = z.object({ name: z.string(), type: z.array(z.enum(ENGINE_MEDIA_TYPES)) })
const TagSchema = z.object({ name: z.string(), acronym: z.string() }).refine(
  ({ name, acronym }) => TAGS.includes(`${name} ${acronym}`),
  'not of the closed lists'
)
const httpUrl = z.string().regex(/^https?:\/\//)
const ServiceSchema = z.object({
  name: z.string(),
  slug: z.string(),
  summary: z.string(),
  url: httpUrl,
  description: z.string().optional(),
  status: z.enum(['available', 'unavailable', 'disabled', 'sleeping']).default('available'),
  data_in_fields: z.array(FieldSchema),
  data_out_fields: z.array(FieldSchema).optional(),
  tags: z.array(TagSchema).optional(),
  // Stored as the text None where it is null, and then every list of services fails: here it is refused, so that a test
  // sees it.
  docs_url: httpUrl.optional(),
  has_ai: z.boolean().optional(),
})
const NoticeSchema = z.object({
  data_out: z.array(z.string()),
  status: z.enum(STATUSES),
  error_message: z.string().nullish(),
})

interface EngineService extends z.output<typeof ServiceSchema> {
  readonly id: string
}

export interface EngineTask {
  readonly id: string
  readonly data_in: string[]
  data_out: string[] | null
  status: typeof STATUSES[number]
  error_message: string | null
  /** How often its outcome was told. */
  outcomes: number
}

export interface ContractEngineOptions {
  /** Calls a service. */
  readonly reach: HttpClient
  /** Milliseconds; the engine's clock. */
  readonly now: () => number
  /** As services are told of it. */
  readonly host: string
  /** Since 2026 services send heartbeats; before, the engine asked for their status, and knew no sleeping. */
  readonly era?: 'today' | '2024' | '2023'
  /** Of the store that tasks name. */
  readonly s3?: object
}

/** What the engine does wrong, when a test says so. */
interface Quirks {
  /** Answers nothing at all. */
  down: boolean
  /** Answers so many calls with 500. */
  failing: number
  /** Only these paths fail. */
  failingPath: RegExp
  slowMs: number
}

/** Time between two looks at the services, and what a heartbeat may be late. */
const TICK_MS = 30_000
const LATE_MS = 20_000

export class ContractEngine {
  readonly #options: ContractEngineOptions
  readonly app: FastifyInstance
  readonly quirks: Quirks = { down: false, failing: 0, failingPath: /./, slowMs: 0 }
  readonly services = new Map<string, EngineService>()
  readonly tasks = new Map<string, EngineTask>()
  readonly #pings = new Map<string, number>()
  /** Open routes: slug → the URL that is dispatched to, which a PATCH does not change. */
  readonly routes = new Map<string, string>()
  /** Every status that a service was shown with, when. */
  readonly history: Array<{ slug: string, status: string, at: number }> = []
  /** Bodies that were refused: a service that follows the protocol leaves none. */
  readonly refused: string[] = []
  readonly calls: string[] = []

  constructor (options: ContractEngineOptions) {
    this.#options = options
    this.app = Fastify({ bodyLimit: 1_048_576 })
    this.app.addHook('onRequest', async (request, reply) => {
      this.calls.push(`${request.method} ${request.url}`)
      if (this.quirks.down) {
        reply.hijack()
        request.raw.socket.destroy()
        return
      }
      if (this.quirks.slowMs > 0) await new Promise((resolve) => { setTimeout(resolve, this.quirks.slowMs) })
      if (this.quirks.failing > 0 && this.quirks.failingPath.test(request.url)) {
        this.quirks.failing--
        return reply.code(500).type('text/plain').send('Internal Server Error')
      }
    })
    this.#addServices()
    this.#addTasks()
  }

  /** For services that are called in memory: whatever the host, the engine answers; where it is down, nobody does. */
  transport (): HttpClient {
    return {
      send: async ({ method, url, body, contentType = 'application/json' }: HttpMessage) => {
        if (this.quirks.down) throw Object.assign(new Error(''), { code: 'ECONNREFUSED' })
        const { pathname, search } = new URL(url)
        const headers = body === undefined ? {} : { 'content-type': contentType }
        const response = await this.app.inject({
          method,
          url: pathname + search,
          headers,
          ...(body !== undefined && { payload: Buffer.from(body) }),
        })
        return {
          status: response.statusCode,
          body: /json/.test(String(response.headers['content-type'])) ? response.json() : response.body,
        }
      },
      close: async () => {},
    }
  }

  statusOf (slug: string): string | undefined {
    return this.#bySlug(slug)?.status
  }

  /** The database is lost, and the engine starts on an empty one. */
  forget (): void {
    this.services.clear()
    this.routes.clear()
    this.#pings.clear()
  }

  /** The engine starts again on the same database; routes are made anew. */
  restart (): void {
    this.routes.clear()
    for (const { slug, url, status } of this.services.values()) if (status === 'available') this.routes.set(slug, url)
  }

  /** What the engine does every 30 seconds. */
  async tick (): Promise<void> {
    for (const service of this.services.values()) {
      if (service.status === 'disabled') continue
      const isThere = this.#era === 'today' ? this.#hasPinged(service.slug) : await this.#answers(service.url)
      if (!isThere) {
        this.#setStatus(service.slug, this.#era === 'today' ? 'sleeping' : 'unavailable')
        continue
      }
      this.#setStatus(service.slug, 'available')
      if (!this.routes.has(service.slug)) this.routes.set(service.slug, service.url)
    }
  }

  get #era (): 'today' | '2024' | '2023' {
    return this.#options.era ?? 'today'
  }

  #hasPinged (slug: string): boolean {
    const at = this.#pings.get(slug)
    return at !== undefined && this.#options.now() - at <= TICK_MS + LATE_MS
  }

  async #answers (url: string): Promise<boolean> {
    return this.#options.reach.send({ method: 'GET', url: `${url.replace(/\/$/, '')}/status` }, 5000).then(
      ({ status }) => status === 200,
      () => false
    )
  }

  #bySlug (slug: string): EngineService | undefined {
    return [...this.services.values()].find((service) => service.slug === slug)
  }

  #setStatus (slug: string, status: string): void {
    const service = this.#bySlug(slug)
    if (service === undefined) return
    if (service.status !== status || !this.history.some((entry) => entry.slug === slug)) {
      this.history.push({ slug, status, at: this.#options.now() })
    }
    this.services.set(service.id, { ...service, status: status as EngineService['status'] })
  }

  /**
   * A user's file: makes the task and hands it to the service; the object is there already.
   * @returns the task, what the service answered, and how long that took
   */
  async dispatch (slug: string, key: string): Promise<{ task: EngineTask, status: number, body: unknown, ms: number }> {
    const url = this.routes.get(slug)
    if (url === undefined) throw new Error(`the engine has no route ${slug}`)
    const task: EngineTask = {
      id: randomUUID(),
      data_in: [key],
      data_out: null,
      status: 'pending',
      error_message: null,
      outcomes: 0,
    }
    this.tasks.set(task.id, task)
    const { outcomes, ...row } = task
    const time = '2026-11-21T08:02:36.783586'
    const began = performance.now()
    const answer = await this.#options.reach.send({
      method: 'POST',
      url: `${url.replace(/\/$/, '')}/compute`,
      body: JSON.stringify({
        ...this.#options.s3,
        task: {
          created_at: time,
          updated_at: time,
          ...row,
          service_id: this.#bySlug(slug)!.id,
          pipeline_execution_id: null,
          pipeline_step_id: null,
        },
        ...(this.#era !== '2023' && { callback_url: `${this.#options.host}/tasks/${task.id}` }),
      }),
    }, 5000)
    const ms = performance.now() - began
    // Anything but exactly 200 is a failure: the task is deleted.
    if (answer.status !== 200) this.tasks.delete(task.id)
    return { task, status: answer.status, body: answer.body, ms }
  }

  #addServices (): void {
    const refuse = (what: string, error: z.ZodError): object => {
      this.refused.push(`${what}: ${JSON.stringify(error.issues)}`)
      return {
        detail: error.issues.map(({ path, message }) => ({
          type: 'value_error',
          loc: ['body', ...path],
          msg: message,
        })),
      }
    }
    this.app.post('/services', async (request, reply) => {
      const parsed = ServiceSchema.safeParse(request.body)
      if (!parsed.success) return reply.code(422).send(refuse('POST /services', parsed.error))
      const { slug, url, name } = parsed.data
      if (this.#bySlug(slug) !== undefined) {
        return reply.code(409).send({ detail: `Service with slug '${slug}' already exists.` })
      }
      const answer = await this.#options.reach.send({ method: 'GET', url: `${url}/status` }, 5000).catch(() =>
        undefined
      )
      if (answer === undefined) {
        return reply.code(503).send({ detail: `Service ${name} (${slug}) unreachable: All connection attempts failed` })
      }
      const service: EngineService = { ...parsed.data, id: randomUUID(), url: url.endsWith('/') ? url : `${url}/` }
      this.services.set(service.id, service)
      if (answer.status !== 200) {
        this.#setStatus(slug, 'unavailable')
        return reply.code(500).send({
          detail:
            `The service ${name} did not respond with an OK status, it will be saved in the database as unavailable`,
        })
      }
      this.#setStatus(slug, service.status)
      this.routes.set(slug, service.url)
      return { ...service, latest_ping: null }
    })
    this.app.get('/services', async () => [...this.services.values()])
    if (this.#era !== '2023') {
      this.app.get<{ Params: { slug: string } }>(
        '/services/slug/:slug',
        async (request, reply) =>
          this.#bySlug(request.params.slug) ?? reply.code(404).send({ detail: 'Service Not Found' })
      )
    }
    if (this.#era === 'today') {
      this.app.post<{ Params: { slug: string } }>('/services/:slug/ping', async (request, reply) => {
        if (this.#bySlug(request.params.slug) === undefined) {
          return reply.code(404).send({ detail: 'Service Not Found' })
        }
        this.#pings.set(request.params.slug, this.#options.now())
        return null
      })
    }
    this.app.patch<{ Params: { id: string } }>('/services/:id', async (request, reply) => {
      const known = this.services.get(request.params.id)
      if (known === undefined) return reply.code(404).send({ detail: 'Service Not Found' })
      const parsed = ServiceSchema.partial().safeParse(request.body)
      if (!parsed.success || (this.#era !== 'today' && parsed.data.status === 'sleeping')) {
        return reply.code(422).send(parsed.success ? { detail: 'status' } : refuse('PATCH /services', parsed.error))
      }
      return this.#change(known, request.body as Partial<EngineService>)
    })
  }

  /** Absent members keep their values; an open route keeps its URL. */
  #change (known: EngineService, members: Partial<EngineService>): EngineService {
    const { status = known.status, url = known.url } = members
    const changed = { ...known, ...members, url: `${url.replace(/\/$/, '')}/`, status: known.status }
    this.services.set(known.id, changed)
    const effective = ['available', 'disabled'].includes(status) ? status : 'unavailable'
    this.#setStatus(known.slug, effective)
    if (effective !== 'available') this.routes.delete(known.slug)
    else if (!this.routes.has(known.slug)) this.routes.set(known.slug, changed.url)
    return this.services.get(known.id)!
  }

  #addTasks (): void {
    this.app.get<{ Params: { id: string } }>(
      '/tasks/:id',
      async (request, reply) => this.tasks.get(request.params.id) ?? reply.code(404).send({ detail: 'Task Not Found' })
    )
    this.app.patch<{ Params: { id: string } }>('/tasks/:id', async (request, reply) => {
      const task = this.tasks.get(request.params.id)
      if (task === undefined) return reply.code(404).send({ detail: 'Task Not Found' })
      const parsed = NoticeSchema.safeParse(request.body)
      if (!parsed.success) {
        this.refused.push(`PATCH /tasks: ${JSON.stringify(parsed.error.issues)}`)
        return reply.code(422).send({ detail: parsed.error.issues })
      }
      const { data_out: out, status, error_message: message = null } = parsed.data
      Object.assign(task, { data_out: out, status, error_message: message })
      if (status === 'finished' || status === 'error') task.outcomes++
      return task
    })
  }
}
