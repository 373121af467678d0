// POST /observations: stores a request in the log before it acknowledges it, or refuses all of it. An app of its own,
// or part of another one.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { Problem } from '../../../core/errors.ts'
import { findKey, sentKey } from '../../../adapters/http/api-keys.ts'
import { traceparentOf } from '../../../adapters/telemetry/requests.ts'
import { sampledTraceparent } from '../../../adapters/telemetry/trace-context.ts'
import { within } from '../../../adapters/telemetry/spans.ts'
import type { Log } from '../../messages/log.ts'
import { arrivalOf, TOPICS } from '../../messages/messages.ts'
import type { StepMetrics } from '../../runtime/metrics.ts'
import { addOperation } from '../../runtime/operation.ts'
import type { CollectorSettings } from '../../settings/collector.ts'
import { Keeper } from './keeper.ts'
import { addDocs, COLLECT_DOCUMENT } from './openapi.ts'
import { sendProblem } from './problems.ts'
import { MEDIA_TYPES, type MediaType, readObservations } from './read-observations.ts'

export interface CollectorDeps {
  readonly log: Log
  readonly settings: Omit<CollectorSettings, 'COLLECTOR_PORT'>
  readonly metrics: StepMetrics
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface AddOptions {
  /** Route options of the surrounding app, for example who may call the route. */
  readonly config?: FastifyContextConfig
  /** Whether the route has an OpenAPI document; the surrounding app may have its own. */
  readonly documented?: boolean
}

const unzip = promisify(gunzip)

/** Adds the route, and changes nothing else in the app. */
export async function addCollector (
  app: FastifyInstance,
  { log, settings, metrics, now }: CollectorDeps,
  { config, documented = false }: AddOptions = {}
): Promise<void> {
  const keeper = new Keeper(log, metrics, settings.COLLECTOR_MAX_WAITING)
  metrics.gauge('observations_waiting', 'Observations that came in and are not stored yet.', () => keeper.waiting)
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser([...MEDIA_TYPES], { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) => body)
    // The readers check the body; the schema is documentation.
    scope.setValidatorCompiler(() => () => true)
    scope.setSerializerCompiler(() => (data) => JSON.stringify(data))
    scope.setErrorHandler((error, request, reply) =>
      sendProblem(error as Error, request, reply, { metrics, maxBodyBytes: settings.COLLECTOR_MAX_BODY_BYTES })
    )
    scope.addHook('onRequest', async (request) => {
      requireKey(request, settings)
    })
    scope.post<{ Querystring: { series?: string | string[] }, Body: Buffer }>('/observations', {
      bodyLimit: settings.COLLECTOR_MAX_BODY_BYTES,
      schema: documented ? COLLECT_DOCUMENT : { hide: true },
      ...(config !== undefined && { config }),
    }, async (request, reply) => {
      const receivedAt = now()
      const observations = readObservations(
        await textOf(request, settings.COLLECTOR_MAX_BODY_BYTES),
        mediaTypeOf(request),
        [request.query.series].flat()[0]
      )
      const span = request.span?.child(`send ${TOPICS.raw}`, {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.destination.name': TOPICS.raw,
        'messaging.batch.message_count': observations.length,
      }, 'producer')
      await within(
        span,
        async () =>
          keeper.keep(
            observations,
            arrivalOf({ receivedAt, trace: sampledTraceparent(span?.traceparent ?? traceparentOf(request)) })
          )
      )
      metrics.took(now() - receivedAt)
      return accept(reply, observations.length)
    })
  })
}

/** Builds the collector as an app of its own, which does not listen yet. */
export async function buildCollector (
  deps: CollectorDeps & { readonly logger?: FastifyBaseLogger }
): Promise<FastifyInstance> {
  const app = Fastify({
    ...(deps.logger === undefined ? {} : { loggerInstance: deps.logger }),
    logController: new LogController({ disableRequestLogging: true }),
  })
  await addDocs(app)
  await addCollector(app, deps, { documented: true })
  addOperation(app, deps.metrics, { waitingFor: () => undefined })
  return app
}

const accept = (reply: FastifyReply, accepted: number): FastifyReply => reply.code(202).send({ accepted })

function mediaTypeOf ({ headers }: FastifyRequest): MediaType {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  // Other types have no parser: Fastify has refused them.
  return MEDIA_TYPES.find((known) => known === type) ?? 'application/json'
}

/** The body as text. The surrounding app may have decompressed it already: no text begins with the bytes of gzip. */
async function textOf ({ headers, body }: FastifyRequest<{ Body: Buffer }>, limit: number): Promise<string> {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) {
    throw new Problem('unsupported-media-type', 'Content-Encoding must be gzip or identity.')
  }
  const isZipped = encoding !== 'identity' && body?.[0] === 0x1f && body[1] === 0x8b
  const bytes = isZipped ? await unzipped(body, limit) : body
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Problem(
      'malformed-body',
      'The body is not in UTF-8; send it in UTF-8, with a Content-Encoding header if it is compressed.',
      { cause }
    )
  }
}

async function unzipped (body: Buffer, limit: number): Promise<Buffer> {
  try {
    return await unzip(body, { maxOutputLength: limit })
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Problem(
        'body-too-large',
        `The body is larger than ${limit} bytes after decompression; send it in parts.`,
        { extensions: { limit }, cause }
      )
    }
    throw new Problem(
      'malformed-body',
      'The body cannot be decompressed by its Content-Encoding; send it again, or uncompressed.',
      { cause }
    )
  }
}

/** @throws Problem unauthorized */
function requireKey (
  { headers }: FastifyRequest,
  { COLLECTOR_API_KEYS: keys, COLLECTOR_AUTH }: CollectorDeps['settings']
): void {
  if (COLLECTOR_AUTH === 'off' || keys.length === 0) return
  const sent = sentKey(headers)
  if (sent !== undefined && findKey(keys, sent) !== undefined) return
  const reason = sent === undefined ? 'Observations need an API key' : 'The collector does not know this API key'
  throw new Problem('unauthorized', `${reason}; send one as "Authorization: Bearer KEY" or "X-API-Key: KEY".`)
}
