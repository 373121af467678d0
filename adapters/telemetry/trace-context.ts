// W3C Trace Context (https://www.w3.org/TR/trace-context/): the trace that a request or a message belongs to.

interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** The header in the format of version 00. */
  readonly traceparent: string
  /** Whether the trace is recorded. */
  readonly isSampled: boolean
}

const VERSION_00 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/
/** Later versions may append fields after the flags: the standard asks to parse the known ones. */
const LATER = /^(?!00|ff)[0-9a-f]{2}(-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?$/

/** Undefined if the header is missing or malformed. */
export function readTraceparent (header: unknown): TraceContext | undefined {
  if (typeof header !== 'string') return undefined
  const traceparent = header.replace(LATER, '00$1')
  const [, traceId, flags] = VERSION_00.exec(traceparent) ?? []
  if (traceId === undefined) return undefined
  return { traceId, traceparent, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}

/** The header if the trace is recorded, else undefined: other headers need not be passed on. */
export function sampledTraceparent (header: unknown): string | undefined {
  const context = readTraceparent(header)
  return context?.isSampled === true ? context.traceparent : undefined
}
