// A known path with an unknown method answers 405 with Allow, not 404.
import type { FastifyInstance } from 'fastify'
import { ANSWERS } from './errors.ts'
import { DOCS_PATH } from './openapi.ts'

/** Watches the documented routes. Call the returned function after the last route: it adds the refusals. */
export function watchMethods (app: FastifyInstance): () => void {
  // Swagger UI registers its page without a schema; openapi.ts documents it.
  const methodsOf = new Map<string, Set<string>>([[DOCS_PATH, new Set(['GET', 'HEAD'])]])
  app.addHook('onRoute', ({ url, method, schema }) => {
    if (schema === undefined || 'hide' in schema) return
    const methods = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsOf.set(url, methods)
  })
  return () => {
    for (const [url, allowed] of methodsOf) refuseOthers(app, url, [...allowed])
  }
}

function refuseOthers (app: FastifyInstance, url: string, allowed: readonly string[]): void {
  app.route({
    url,
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    schema: { hide: true } as object,
    // The answer to a preflight, if CORS is on (plugins/cors.ts).
    config: { cors: { methods: [...allowed] } },
    exposeHeadRoute: false,
    // Before the body is read, because nobody needs it.
    onRequest: async (request, reply) => {
      reply.header('allow', allowed.join(', '))
      return ANSWERS.sendDocument(request, reply, {
        code: 'method-not-allowed',
        detail: `${request.method} is not a method of this route; it has ${allowed.join(', ')}.`,
      })
    },
    handler: () => undefined,
  })
}
