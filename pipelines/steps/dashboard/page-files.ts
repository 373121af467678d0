// Serves the page, its files and the charting library from the disk.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

const OWN_FILES = join(dirname(fileURLToPath(import.meta.url)), 'public')
const CHART_FILES = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist')

/** @param page path of the page; its files are below /live/ */
export async function addPageFiles (app: FastifyInstance, page: string): Promise<void> {
  const folders = [
    { root: OWN_FILES, prefix: '/live/', files: /\.(js|css|svg)$/, maxAge: 0 },
    { root: CHART_FILES, prefix: '/live/vendor/', files: /^\/uPlot\.(esm\.js|min\.css)$/, maxAge: '1d' },
  ]
  for (const { root, prefix, files, maxAge } of folders) {
    await app.register(fastifyStatic, {
      root,
      prefix,
      maxAge,
      decorateReply: false,
      index: false,
      wildcard: false,
      dotfiles: 'ignore',
      schemaHide: true,
      allowedPath: (path) => files.test(path),
    })
  }
  const html = readFileSync(join(OWN_FILES, 'index.html'), 'utf8')
  app.get(
    page,
    { schema: { hide: true } as object },
    async (_, reply) => reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(html)
  )
}
