// The environment of the programs: the only file that reads it, or adds to it.
import { Problem } from '../../core/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment, with what a file `.env` in the working folder adds to it. A variable that is set keeps its value.
 * The additions reach the process itself, so that its children have the same settings.
 * @throws Problem invalid-settings if there is a `.env` that cannot be read
 */
export function readEnvironment (): Environment {
  try {
    process.loadEnvFile()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Problem(
        'invalid-settings',
        'The .env of this folder cannot be read; make it a readable file of lines NAME=value, or remove it.',
        { cause }
      )
    }
  }
  return process.env
}

/**
 * The environment as it was given to the process, without `.env`: for programs that others start with exactly the
 * variables that they should have.
 */
export const givenEnvironment = (): Environment => process.env

/** Sets a variable that is not set, for native libraries: they read the environment of the process. */
export function setDefault (name: string, value: string): void {
  process.env[name] ??= value
}
