// Variables that name servers and who may use them: all of them set, and an address where one is meant.
import { Problem } from '../../core/errors.ts'
import type { Environment } from './environment.ts'

/**
 * @param reason why they are needed, as the rest of a sentence; default: .env.example says it
 * @throws Problem invalid-settings naming all variables that are missing or empty
 */
export function requiredVariables<N extends string> (
  env: Environment,
  names: readonly N[],
  reason?: string
): Record<N, string> {
  const missing = names.filter((name) => (env[name] ?? '') === '')
  if (missing.length > 0) {
    const what = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set`
    throw new Problem(
      'invalid-settings',
      reason === undefined
        ? `${what}; .env.example says what for.`
        : `${what}, and ${reason}; set ${names.join(', ')}.`
    )
  }
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<N, string>
}

/** @throws Problem invalid-settings naming the variable, without its value: it may hold a password */
export function serverUrl (name: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new Problem('invalid-settings', `${name} is not a URL such as https://host:8086.`)
}
