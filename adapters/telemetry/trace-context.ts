// W3C Trace Context (https://www.w3.org/TR/trace-context/): what a request or a message is part of.

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** The header as this version of the standard writes it. */
  readonly traceparent: string
  /** Whether whoever began the trace records it. */
  readonly isSampled: boolean
}

const VERSION_00 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/
/** Later versions may have more behind the flags: the standard asks to read what they begin with. */
const LATER = /^(?!00|ff)[0-9a-f]{2}(-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?$/

/** Undefined where the header is missing, or none. */
export function readTraceparent (header: unknown): TraceContext | undefined {
  if (typeof header !== 'string') return undefined
  const traceparent = header.replace(LATER, '00$1')
  const [, traceId, flags] = VERSION_00.exec(traceparent) ?? []
  if (traceId === undefined) return undefined
  return { traceId, traceparent, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}

/** The header where somebody records the trace: others need not travel on. */
export function sampledTraceparent (header: unknown): string | undefined {
  const context = readTraceparent(header)
  return context?.isSampled === true ? context.traceparent : undefined
}
