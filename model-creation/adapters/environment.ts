// Variables of the environment that name servers and who may use them: present, and an address where one is meant.
import { Problem } from '../../core/errors.ts'

/** @throws Problem invalid-settings naming all that are missing or empty */
export function requiredVariables<N extends string> (env: NodeJS.ProcessEnv, names: readonly N[]): Record<N, string> {
  const missing = names.filter((name) => (env[name] ?? '') === '')
  if (missing.length > 0) {
    throw new Problem(
      'invalid-settings',
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set; .env.example says what for.`
    )
  }
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<N, string>
}

/** @throws Problem invalid-settings naming the variable, without its value: it may hold a password */
export function serverUrl (name: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new Problem('invalid-settings', `${name} is no address of a server; write one such as https://host:8086.`)
}
