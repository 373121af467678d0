// W3C Trace Context headers, well formed and malformed.
import fc from 'fast-check'
import t from 'tap'
import { readTraceparent, sampledTraceparent } from '../trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const GOOD = `00-${TRACE}-${SPAN}-01`

t.test('a header is read', async (t) => {
  t.same(readTraceparent(GOOD), { traceId: TRACE, traceparent: GOOD, isSampled: true })
  t.match(readTraceparent(`00-${TRACE}-${SPAN}-00`), { isSampled: false })
  t.match(readTraceparent(`00-${TRACE}-${SPAN}-03`), { isSampled: true }, 'unknown flags change nothing')
  t.same(
    readTraceparent(`cc-${TRACE}-${SPAN}-01`),
    { traceId: TRACE, traceparent: GOOD, isSampled: true },
    'a later version'
  )
  t.same(readTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`), {
    traceId: TRACE,
    traceparent: GOOD,
    isSampled: true,
  })
})

t.test('malformed headers are ignored', async (t) => {
  const wrong = [
    undefined,
    '',
    'x',
    GOOD.toUpperCase(),
    `${GOOD}-more`,
    `${GOOD} `,
    `ff-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    [GOOD],
    7,
    `00-${TRACE}-${SPAN}-0g`,
  ]
  for (const header of wrong) t.equal(readTraceparent(header), undefined, String(header))
})

t.test('only the header of a recorded trace is passed on, unchanged', async (t) => {
  const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
  fc.assert(fc.property(hex(32), hex(16), hex(2), (trace, span, flags) => {
    const header = `00-${trace}-${span}-${flags}`
    const isValid = /[^0]/.test(trace) && /[^0]/.test(span)
    return sampledTraceparent(header) === (isValid && Number.parseInt(flags, 16) % 2 === 1 ? header : undefined)
  }))
})
