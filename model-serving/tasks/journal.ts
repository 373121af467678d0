// Unfinished tasks on disk: the next start reports those that a crash interrupted. The files contain notices, never
// keys or data.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { z } from 'zod'
import type { Notice } from './task.ts'

const EntrySchema = z.strictObject({
  pid: z.int(),
  id: z.string(),
  notice: z.strictObject({
    method: z.enum(['POST', 'PATCH']),
    url: z.string(),
    body: z.string(),
    contentType: z.string().exactOptional(),
  }),
})

interface Interrupted {
  readonly id: string
  readonly notice: Notice
}

export class Journal {
  readonly #folder: string
  readonly #log: FastifyBaseLogger
  #usable = true

  constructor (folder: string, log: FastifyBaseLogger) {
    this.#folder = folder
    this.#log = log
    this.#attempt(() => { mkdirSync(folder, { recursive: true, mode: 0o700 }) })
  }

  /** Notes a task before the engine gets its answer. Takes 50 µs: a file of a few hundred bytes, without fsync. */
  begin (id: string, notice: Notice): void {
    this.#attempt(() => {
      writeFileSync(this.#path(id), JSON.stringify({ pid: process.pid, id, notice }), { mode: 0o600 })
    })
  }

  end (id: string): void {
    this.#attempt(() => { rmSync(this.#path(id), { force: true }) })
  }

  /** Takes over the tasks of processes that no longer run. */
  takeOver (): Interrupted[] {
    let names: string[] = []
    this.#attempt(() => { names = readdirSync(this.#folder).filter((name) => name.endsWith('.json')) })
    return names.flatMap((name) => {
      const entry = this.#read(join(this.#folder, name))
      if (entry === undefined || isAlive(entry.pid)) return []
      this.begin(entry.id, entry.notice)
      return [{ id: entry.id, notice: entry.notice }]
    })
  }

  #path (id: string): string {
    return join(this.#folder, `${encodeURIComponent(id)}.json`)
  }

  #read (path: string): z.output<typeof EntrySchema> | undefined {
    try {
      return EntrySchema.parse(JSON.parse(readFileSync(path, 'utf8')))
    } catch (error) {
      // The crash interrupted the writing, so the task had not been accepted yet.
      this.#log.warn(
        { path, problem: (error as Error).message },
        'a note of an unfinished task cannot be read and is removed'
      )
      this.#attempt(() => {
        rmSync(path, { force: true })
      })
      return undefined
    }
  }

  /** If the folder cannot be written to, tasks are still done, but a crash is not reported. */
  #attempt (work: () => void): void {
    if (!this.#usable) return
    try {
      work()
    } catch (error) {
      this.#usable = false
      this.#log.warn(
        { folder: this.#folder, problem: (error as Error).message },
        'unfinished tasks cannot be noted, so a crash would lose them silently; set TASKS_DIR to a writable folder'
      )
    }
  }
}

/** An entry with the id of this process comes from an earlier process, because this one has noted nothing yet. */
function isAlive (pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
