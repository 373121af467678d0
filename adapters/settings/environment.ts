// The environment of the programs, with what a file `.env` in the working folder adds to it. The one file of core/ that
// looks at the process.
import { Problem } from '../../core/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * A variable that is set keeps its value. Added to the process itself, so that its children have the same settings.
 * @throws Problem invalid-settings where there is a `.env` that cannot be read
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
