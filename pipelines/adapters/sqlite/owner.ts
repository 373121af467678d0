// The owner of a SQLite file: a note beside the file, valid only while its process runs.
//
// The package locks by a folder, FILE.lock. A killed process leaves it behind, and the package never removes it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { Problem } from '../../../core/errors.ts'

const OwnerSchema = z.object({ pid: z.int().min(1), began: z.string() })
type Owner = z.output<typeof OwnerSchema>

/** Removes the lock of a process that has ended. @throws Problem invalid-settings if another process uses the file */
export function takeFile (file: string): void {
  const owner = readOwner(file)
  if (owner !== undefined && isAlive(owner)) {
    throw new Problem(
      'invalid-settings',
      `STREAM_STORE: the process ${owner.pid} uses ${file}, and one process at a time can; ` +
        'end it, or name another file.'
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
    // There is no note, or a crash has truncated it.
    return undefined
  }
}

function isAlive ({ pid, began }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process runs, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return beginningOf(pid) === began
}

/**
 * Start of the process, in ticks since the machine started: process ids are reused, in containers soon. Empty if the
 * system does not provide it.
 */
function beginningOf (pid: number): string {
  try {
    // The name of the program stands in brackets and may hold any characters.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!
  } catch {
    return ''
  }
}
