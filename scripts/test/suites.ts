// The schedule of the integration suites, as scripts/suites.sh reads it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const ROW = z.tuple([
  z.string().regex(/^[a-z]+$/),
  z.coerce.number().positive(),
  z.enum(['default', 'named']),
  z.string().min(1),
  z.string().min(1),
])

interface Suite {
  readonly name: string
  readonly minutes: number
  readonly when: 'default' | 'named'
  /** Names that scripts/install.sh knows. */
  readonly installs: readonly string[]
  readonly guards: string
}

export function readSuites (): Suite[] {
  const text = readFileSync(join(import.meta.dirname, '../suites.tsv'), 'utf8')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const [name, minutes, when, installs, guards] = ROW.parse(line.split('\t'))
    return { name, minutes, when, installs: installs === '-' ? [] : installs.split(' '), guards }
  })
}
