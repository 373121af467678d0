// Errors ⇄ plain data, to pass errors of a worker thread to the HTTP thread.
import { briefItem, shorten } from '../../../adapters/http/brief.ts'
import { Problem, type ProblemCode, type ProblemItem } from '../../../core/errors.ts'

interface PlainError {
  readonly message: string
  readonly stack: string | undefined
}

export interface PlainFailure extends PlainError {
  /** Undefined if the error is not a Problem. */
  readonly problem: {
    readonly code: ProblemCode
    readonly items: readonly ProblemItem[]
    readonly extensions: Record<string, unknown>
    readonly cause: PlainError | undefined
  } | undefined
}

/** Bounds of items, texts and lists from the caller, so that the answer stays short. */
const MAX_ITEMS = 10
const MAX_GOT = 100
const MAX_NAMES = 1100

export function plainFailure (error: unknown): PlainFailure {
  if (!(error instanceof Problem)) return { ...plainError(error), problem: undefined }
  const { code, items, extensions, cause } = error
  return {
    ...plainError(error),
    problem: {
      code,
      items: items.slice(0, MAX_ITEMS).map(briefItem),
      extensions: briefExtensions(extensions),
      cause: cause === undefined ? undefined : plainError(cause),
    },
  }
}

/** Lists may contain names that the caller sent: long lists and long names are cut. */
function briefExtensions (extensions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const short = (value: unknown): unknown => typeof value === 'string' ? shorten(value, MAX_GOT) : value
  return Object.fromEntries(
    Object.entries(extensions).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.slice(0, MAX_NAMES).map(short) : short(value),
    ])
  )
}

/** The Problem or Error again. */
export function failureOf ({ problem, ...error }: PlainFailure): Error {
  if (problem === undefined) return errorOf(error)
  const { code, items, extensions, cause } = problem
  return new Problem(code, error.message, { items, extensions, ...(cause !== undefined && { cause: errorOf(cause) }) })
}

const plainError = (error: unknown): PlainError =>
  error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error), stack: undefined }

const errorOf = ({ message, stack }: PlainError): Error => Object.assign(new Error(message), { stack })
