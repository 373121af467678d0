// Finds a strategy by its name.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Problem } from '../../../../core/errors.ts'
import { hold } from './hold.ts'
import { linear } from './linear.ts'
import type { Strategy } from './strategy.ts'

const BUILT_IN: Readonly<Record<string, Strategy>> = { hold, linear }

/**
 * A strategy by its name, or by the path of its module.
 * @throws Problem invalid-settings if there is no such module, or it exports no strategy
 */
export async function loadStrategy (name: string): Promise<Strategy> {
  if (Object.hasOwn(BUILT_IN, name)) return BUILT_IN[name]!
  let module: { readonly strategy?: unknown }
  try {
    module = await import(pathToFileURL(resolve(name)).href) as typeof module
  } catch (cause) {
    const names = Object.keys(BUILT_IN).join(', ')
    throw new Problem(
      'invalid-settings',
      `IMPUTER_STRATEGY is "${name}", and no such module can be loaded: ${(cause as Error).message}. ` +
        `Write ${names}, or the path of a module.`,
      { cause }
    )
  }
  if (isStrategy(module.strategy)) return module.strategy
  throw new Problem(
    'invalid-settings',
    `IMPUTER_STRATEGY is "${name}", and that module exports no \`strategy\` with a method open(); ` +
      'pipelines/steps/imputer/README.md shows one.'
  )
}

const isStrategy = (value: unknown): value is Strategy =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Strategy>).open === 'function'
