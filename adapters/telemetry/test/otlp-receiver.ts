// A receiver of spans for tests: OTLP as JSON over HTTP.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

interface ReceivedSpan {
  readonly service: string
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, string>>
  /** Duration in milliseconds. */
  readonly took: number
}

interface OtlpReceiver {
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** Waits until `look` accepts the spans. @throws Error after the time limit, naming the spans that came */
  wait (look: (spans: readonly ReceivedSpan[]) => boolean, milliseconds?: number): Promise<readonly ReceivedSpan[]>
  close (): Promise<void>
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']

interface Attribute { readonly key: string, readonly value: Readonly<Record<string, unknown>> }
interface Sent {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly name: string,
        readonly kind: number,
        readonly traceId: string,
        readonly spanId: string,
        readonly parentSpanId?: string,
        readonly status?: { readonly code?: number }
        readonly attributes?: readonly Attribute[],
        readonly startTimeUnixNano: string,
        readonly endTimeUnixNano: string
      }>
    }>
  }>
}

const textsOf = (attributes: readonly Attribute[] = []): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]))

function spansOf ({ resourceSpans }: Sent): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map((span) => ({
    service: textsOf(resource.attributes)['service.name']!,
    name: span.name,
    kind: KINDS[span.kind]!,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    failed: span.status?.code === 2,
    attributes: textsOf(span.attributes),
    took: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
  }))))
}

export async function startOtlpReceiver (): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString()) as Sent))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    wait: async (look, milliseconds = 20_000) => {
      const end = Date.now() + milliseconds
      while (!look(spans)) {
        if (Date.now() > end) {
          const names = spans.map(({ service, name, traceId }) => `${service} ${name} ${traceId}`)
          throw new Error(`The expected spans did not arrive; these did: ${names.join(', ')}`)
        }
        await sleep(20)
      }
      return spans
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => { server.close(resolve) })
    },
  }
}
