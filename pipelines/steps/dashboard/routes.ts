// The routes of the page: fleet, one series, incidents, annotations.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Problem } from '../../../core/errors.ts'
import { traceparentOf } from '../../../adapters/telemetry/requests.ts'
import { sampledTraceparent } from '../../../adapters/telemetry/trace-context.ts'
import type { Database, Period } from '../../database/database.ts'
import { type Annotation, AnnotationSchema } from '../../messages/messages.ts'
import type { Annotate } from './annotate.ts'
import type { LiveFeed } from './live-feed.ts'
import { checked } from './problems.ts'

interface LiveLink {
  readonly href: string
  readonly text: string
}

export interface RouteDependencies {
  readonly database: Database
  readonly annotate: Annotate
  readonly live: LiveFeed
  /** Other pages of the service. */
  readonly links: readonly LiveLink[]
  readonly now: () => number
}

const DAY = 86_400_000

const instant = z.iso.datetime({ offset: true, error: 'an instant in RFC 3339, such as 2026-01-31T12:00:00Z' })
  .transform((text) => Date.parse(text))
const limit = (most: number) =>
  z.string().regex(/^\d{1,6}$/, 'a whole number').transform(Number).pipe(
    z.number().min(1, 'at least 1').max(most, `at most ${most}`)
  )
const name = z.string().min(1).max(200)

const SeriesQuerySchema = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  limit: limit(20_000).default(5000),
})
const IncidentsQuerySchema = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  limit: limit(1000).default(200),
  series: name.optional(),
})
const AnnotationBodySchema = AnnotationSchema.pick({ kind: true, note: true })

export const MAX_BODY_BYTES = 16_384

/** Default: the week before the newest verdict, since streamed data may be of another time than now. */
function periodOf ({ from, to }: { from?: number | undefined, to?: number | undefined }, newest: number): Period {
  const end = to ?? newest
  const begin = from ?? end - 7 * DAY
  if (begin > end) {
    throw new Problem('invalid-request', '/query/from: it is after `to`; exchange them.', {
      items: [{ pointer: '/query/from', detail: 'after `to`' }],
    })
  }
  return { from: begin, to: end }
}

/** Hides the routes from the API of a surrounding service: from its documentation and its scopes. */
const HIDDEN = { schema: { hide: true } as object }

export function addRoutes (app: FastifyInstance, { database, annotate, live, links, now }: RouteDependencies): void {
  const newest = async (): Promise<number> => {
    if (live.fleet.newest === undefined) await live.series()
    return live.fleet.newest ?? now()
  }

  app.get('/live/fleet', HIDDEN, async () => {
    const series = await live.series()
    const last = live.fleet.newest
    return {
      newest: last === undefined ? null : new Date(last).toISOString(),
      series,
      links,
      database: database.location,
    }
  })

  app.get('/live/series/:series', HIDDEN, async (request) => {
    const { series } = checked(z.strictObject({ series: name }), request.params, 'params')
    const query = checked(SeriesQuerySchema, request.query, 'query')
    const period = periodOf(query, await newest())
    const [verdicts, gaps] = await Promise.all([
      live.verdicts(series, period, query.limit),
      database.gaps(series, period),
    ])
    return { series, from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString(), verdicts, gaps }
  })

  app.get('/live/incidents', HIDDEN, async (request) => {
    const query = checked(IncidentsQuerySchema, request.query, 'query')
    // An incident may be newer than the newest known verdict.
    return { incidents: await live.incidents(periodOf(query, await newest() + DAY), query.limit, query.series) }
  })

  app.post('/live/incidents/:id/annotations', HIDDEN, async (request, reply) => {
    const { id } = checked(z.strictObject({ id: z.string().min(1).max(500) }), request.params, 'params')
    const { kind, note } = checked(AnnotationBodySchema, request.body, 'body')
    const incident = await live.incident(id)
    if (incident === undefined) {
      throw new Problem('unknown-incident', 'There is no incident of this id; GET /live/incidents lists them.')
    }
    const annotation: Annotation = {
      incident: id,
      series: incident.series,
      at: new Date(now()).toISOString(),
      kind,
      ...(note !== undefined && { note }),
    }
    await annotate(annotation, incident, sampledTraceparent(traceparentOf(request)))
    return reply.code(202).send({ annotation })
  })
}
