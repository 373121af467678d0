// The module hook of register.js: blanks out the types of the project's own TypeScript, and keeps what it made by the
// digest of the source: dozens of tests load the same files, and to start the stripper takes longer than most of them.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

const { version } = createRequire(import.meta.url)('@swc/wasm-typescript/package.json')
const folder = fileURLToPath(new URL('../../.cache/strip-types/', import.meta.url))
mkdirSync(folder, { recursive: true })

/** @type {import('node:module').LoadHook} */
export async function load (url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const filename = fileURLToPath(url)
  return { format: 'module', source: await stripped(readFileSync(filename, 'utf8'), filename), shortCircuit: true }
}

/**
 * @param {string} source
 * @param {string} filename
 */
async function stripped (source, filename) {
  const kept = `${folder}${createHash('sha256').update(`${version}\n${source}`).digest('hex')}.js`
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const { transform } = await import('@swc/wasm-typescript')
    const { code } = await transform(source, { mode: 'strip-only', filename })
    // Renamed when it is complete: other processes and threads read and write the same files.
    const writing = `${kept}.${process.pid}.${threadId}`
    writeFileSync(writing, code)
    renameSync(writing, kept)
    return code
  }
}
