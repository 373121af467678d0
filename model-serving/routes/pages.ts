// GET /, /score, /openapi.json and /docs/errors, and the files of the page.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { errorPage } from '../plugins/error-page.ts'
import type { RouteDocument } from '../plugins/openapi.ts'
import { projectRoot } from '../settings/project.ts'
import { ANSWER_EXAMPLES } from '../openapi/answer-examples.ts'
import { HtmlAnswerSchema } from '../schemas/media.ts'
import { problemResponses } from '../schemas/problem.ts'

const pageDocument = {
  operationId: 'getPage',
  summary: 'Open the page',
  description: 'Browsers get the page. Other clients are redirected to the documentation.',
  tags: ['documentation'],
  response: {
    200: {
      description: 'The page',
      content: { 'text/html': { schema: HtmlAnswerSchema, examples: ANSWER_EXAMPLES.html } },
    },
    302: {
      description: 'Redirect to the documentation, if the client does not accept HTML',
      headers: { Location: { description: 'Path of the documentation.', type: 'string' } },
      content: {},
    },
    ...problemResponses('/', ['unsupported-media-type', 'not-found', 'internal-error']),
  },
} satisfies RouteDocument

const scorePageDocument = {
  operationId: 'getScorePage',
  summary: 'Open the page that scores files',
  description: 'The same page as at `/`, unless an embedding program has another page there.',
  tags: ['documentation'],
  response: {
    200: pageDocument.response[200],
    ...problemResponses('/score', ['unsupported-media-type', 'not-found', 'internal-error']),
  },
} satisfies RouteDocument

const openApiDocument = {
  operationId: 'getOpenApi',
  summary: 'Get this document',
  tags: ['documentation'],
  response: {
    200: {
      description: 'OpenAPI 3.1',
      content: {
        'application/json': { schema: z.looseObject({ openapi: z.string() }), examples: ANSWER_EXAMPLES.openApi },
      },
    },
    ...problemResponses('/openapi.json', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

const errorsDocument = {
  operationId: 'getErrors',
  summary: 'Look up an error code',
  tags: ['documentation'],
  response: {
    200: {
      description: 'All error codes, with meaning and remedy',
      content: { 'text/html': { schema: HtmlAnswerSchema, examples: ANSWER_EXAMPLES.html } },
    },
    ...problemResponses('/docs/errors', ['unsupported-media-type', 'internal-error']),
  },
} satisfies RouteDocument

/** @param home whether the page is also at `/` */
export async function addPages (app: FastifyInstance, { home }: { readonly home: boolean }): Promise<void> {
  await addFiles(app)
  app.get('/score', { schema: scorePageDocument }, async (_, reply) => reply.sendFile('index.html'))
  if (home) {
    app.get(
      '/',
      { schema: pageDocument },
      async (request, reply) =>
        request.accepts().type(['application/json', 'text/html']) === 'text/html'
          ? reply.sendFile('index.html')
          : reply.redirect('/docs')
    )
  }
  app.get('/openapi.json', { schema: openApiDocument }, async () => app.swagger())
  const page = errorPage(readFileSync(join(projectRoot, 'docs/ERRORS.md'), 'utf8'))
  app.get(
    '/docs/errors',
    { schema: errorsDocument },
    async (_, reply) => reply.type('text/html; charset=utf-8').send(page)
  )
}

/** The files of the page, the chart library, and the example series, which an installation may lack. */
async function addFiles (app: FastifyInstance): Promise<void> {
  const charts = dirname(createRequire(import.meta.url).resolve('echarts/package.json'))
  const folders = [
    { root: join(import.meta.dirname, '../public'), prefix: '/', files: /\.(html|js|css|svg|png|ico|webmanifest)$/ },
    { root: join(charts, 'dist'), prefix: '/vendor/', files: /^\/echarts(\.esm)?\.min\.m?js$/, maxAge: '1d' },
    { root: join(projectRoot, 'examples'), prefix: '/examples/', files: /\.(csv|json)$/ },
  ]
  for (const [i, { root, prefix, files, maxAge = 0 }] of folders.entries()) {
    if (!existsSync(root)) continue
    await app.register(fastifyStatic, {
      root,
      prefix,
      maxAge,
      decorateReply: i === 0,
      index: false,
      wildcard: false,
      dotfiles: 'ignore',
      globIgnore: ['**/node_modules/**'],
      allowedPath: (path) => files.test(path),
    })
  }
}
