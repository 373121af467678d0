// Routes for operators: /livez, /readyz and /metrics. A step without an HTTP API of its own has only these.
import type { FastifyInstance } from 'fastify'
import type { StepMetrics } from './metrics.ts'

interface Readiness {
  /** What the step still waits for; undefined if it is ready. */
  readonly waitingFor: () => string | undefined
}

export function addOperation (
  app: FastifyInstance,
  metrics: Pick<StepMetrics, 'text'>,
  { waitingFor }: Readiness
): void {
  app.get('/livez', async () => ({ status: 'alive' }))
  app.get('/readyz', async (_, reply) => {
    const reason = waitingFor()
    return reason === undefined ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', reason })
  })
  app.get(
    '/metrics',
    async (_, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text())
  )
}
