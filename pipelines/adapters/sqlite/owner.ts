// Who has a file of SQLite: a note beside it that is worth nothing once its process has ended, however that was.
//
// The package locks by a folder, FILE.lock, which a process that is killed leaves behind: for ever, by its own rules.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { Problem } from '../../../core/errors.ts'

const OwnerSchema = z.object({ pid: z.int().min(1), began: z.string() })
type Owner = z.output<typeof OwnerSchema>

/** @throws Problem invalid-settings where another one has it; what one that has ended left behind is removed */
export function takeFile (file: string): void {
  const owner = readOwner(file)
  if (owner !== undefined && isAlive(owner)) {
    throw new Problem(
      'invalid-settings',
      `STREAM_STORE: the process ${owner.pid} has ${file} open, and one at a time can; end that one, or name another file.`
    )
  }
  rmSync(`${file}.lock`, { recursive: true, force: true })
  writeFileSync(noteOf(file), JSON.stringify({ pid: process.pid, began: beginningOf(process.pid) } satisfies Owner))
}

export function leaveFile (file: string): void {
  rmSync(noteOf(file), { force: true })
}

const noteOf = (file: string): string => `${file}.owner`

function readOwner (file: string): Owner | undefined {
  try {
    return OwnerSchema.parse(JSON.parse(readFileSync(noteOf(file), 'utf8')))
  } catch {
    // There is none, or one that a crash cut off.
    return undefined
  }
}

function isAlive ({ pid, began }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is one all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return beginningOf(pid) === began
}

/**
 * When it was started, in ticks since the machine was: numbers of processes come again, in containers soon. Empty where
 * the system does not tell.
 */
function beginningOf (pid: number): string {
  try {
    // The name of the program, in brackets, may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!
  } catch {
    return ''
  }
}
