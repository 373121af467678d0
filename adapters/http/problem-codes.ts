// Every code that an answer over HTTP can carry: those of the domain, and those of HTTP itself.
import { type ProblemCode, PROBLEMS } from '../../core/errors.ts'

/** Only a server meets these failures, so the table of the domain does not have them. */
const HTTP_PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request is no HTTP', retryable: false },
  'method-not-allowed': { status: 405, title: 'The route does not have this method', retryable: false },
  'request-timeout': { status: 408, title: 'The request did not arrive in time', retryable: true },
  'headers-too-large': { status: 431, title: 'The headers exceed the limit', retryable: false },
} as const satisfies Record<string, { status: number, title: string, retryable: boolean }>

export const ALL_PROBLEMS = { ...PROBLEMS, ...HTTP_PROBLEMS } as const
export type AnyProblemCode = ProblemCode | keyof typeof HTTP_PROBLEMS
