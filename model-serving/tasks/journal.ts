// Which tasks are unfinished, on disk: what a crash interrupts is reported at the next start. Holds notices, never keys
// or data.
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

  /**
   * Notes a task before its engine hears that it is taken. Some 50 µs: a file of a few hundred bytes, not forced to the
   * disk.
   */
  begin (id: string, notice: Notice): void {
    this.#attempt(() => {
      writeFileSync(this.#path(id), JSON.stringify({ pid: process.pid, id, notice }), { mode: 0o600 })
    })
  }

  end (id: string): void {
    this.#attempt(() => { rmSync(this.#path(id), { force: true }) })
  }

  /** What processes that are gone have left; from now on this process answers for it. */
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
      // Cut off by the crash while it was written: its task had not been taken yet.
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

  /** Without a folder to write to tasks are done all the same; only a crash would not be reported. */
  #attempt (work: () => void): void {
    if (!this.#usable) return
    try {
      work()
    } catch (error) {
      this.#usable = false
      this.#log.warn(
        { folder: this.#folder, problem: (error as Error).message },
        'unfinished tasks cannot be noted, so that a crash would lose them silently; set TASKS_DIR to a folder that can be written to'
      )
    }
  }
}

/** A process of our own number is an earlier one: this one has noted nothing yet. */
function isAlive (pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
