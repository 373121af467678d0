// The plots as files: the content of the SVG, the text of the PNG, and series that are constant, empty, short, wide or
// badly named.
import { crc32, inflateSync } from 'node:zlib'
import t from 'tap'
import { renderPng } from '../plot/png.ts'
import { type Plot, renderSvg } from '../plot/svg.ts'
import { bareAnswer, renamed, syntheticAnswer } from './synthetic-answer.ts'

const answer = syntheticAnswer()
const names = Object.keys(answer.observed ?? {})
const svg = renderSvg({ answer })

/** Names of the synthetic series. */
const STEP = 600_000

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const sizeOf = (png: Buffer): { width: number, height: number } => ({
  width: png.readUInt32BE(16),
  height: png.readUInt32BE(20),
})
const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

/** Shaded stretches, over all panels: the only polygons of this colour. */
const shadings = (document: string): number =>
  countOf(document, /<polygon [^>]*fill="rgb\(213,94,0\)" fill-opacity="0\.13"/g)

/** Texts of an SVG document. */
const texts = (document: string): string[] =>
  [...document.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map((match) => match[1] ?? '')

t.test('the made-up series has what a plot must show', async (t) => {
  t.ok((answer.anomalies?.length ?? 0) >= 2, 'anomalies')
  t.ok(answer.quality?.['power_kw']?.imputed.length, 'imputed observations')
  t.ok(Array.from({ length: 15 }, (_, i) => answer.score![i]).every((score) => score === null), 'a warm-up')
})

t.test('an SVG names channels, score, threshold and summary', async (t) => {
  const found = texts(svg)
  for (const name of [
    ...names,
    'anomaly score',
    'threshold',
    'contribution to the score',
    'observed',
    'expected',
    'expected band',
    'imputed',
  ]) {
    t.ok(found.includes(name), name)
  }
  t.ok(
    found.some((text) => text.startsWith(`wind-turbine 1.0.0: ${answer.anomalies?.length} anomalies in 3 days`)),
    'summary as heading'
  )
  const [first, ...others] = answer.anomalies!
  const worst = others.reduce((most, next) => next.peakScore > most.peakScore ? next : most, first!)
  t.ok(found.includes(`${worst.kind}: ${worst.message}`), 'with the sentence of the worst anomaly below it')
  t.ok(texts(renderSvg({ answer, title: 'Turbine 3' })).includes('Turbine 3'), "or a heading of one's own")
})

t.test('every anomaly is shaded in the score and in every channel', async (t) => {
  t.equal(shadings(svg), (answer.anomalies?.length ?? 0) * (names.length + 1))
  t.equal(shadings(renderSvg({ answer: { ...answer, anomalies: [] } })), 0)
  t.equal(shadings(renderSvg({ answer, channels: ['power_kw'] })), (answer.anomalies?.length ?? 0) * 2)
})

t.test('a gap stays a gap', async (t) => {
  const linesOf = (values: Array<number | null>): number => {
    const document = renderSvg({ answer: bareAnswer({ level: values }) })
    const path = /<path d="([^"]*)"[^>]*stroke="#0b63a5"/.exec(document)?.[1] ?? ''
    return countOf(path, /M/g)
  }
  t.equal(linesOf([1, 2, 3, 4, 5, 6]), 1)
  t.equal(linesOf([1, 2, null, 4, 5, 6]), 2, 'no line across a missing value')
})

t.test('above the threshold the score is filled, below it is not', async (t) => {
  const stops = [...svg.matchAll(/<stop offset="[^"]*" stop-color="([^"]*)"(?: stop-opacity="([^"]*)")?/g)]
    .map((match) => match[2])
  t.ok(stops.includes('0.45'), 'a colour above')
  t.ok(stops.includes('0'), 'none below')
})

t.test('a part that the answer lacks is not drawn', async (t) => {
  const { observed } = answer
  const found = texts(renderSvg({ answer: bareAnswer(observed ?? {}) }))
  t.ok(found.includes('power_kw'))
  t.notOk(found.includes('anomaly score'))
  t.notOk(found.includes('contribution to the score'))
})

t.test('a PNG has its signature, the size of the SVG, and text', async (t) => {
  const png = renderPng({ answer })
  const [, width = '', height = ''] = /<svg width="(\d+)" height="(\d+)"/.exec(svg) ?? []
  t.same(png.subarray(0, 8), PNG_SIGNATURE)
  t.same(sizeOf(png), { width: Number(width), height: Number(height) })
  t.equal(width, '1200')
  const named = (name: string): Buffer =>
    renderPng({ answer: renamed(answer, (old) => old === 'power_kw' ? name : old) })
  t.notOk(
    named('mmmmmm').equals(named('iiiiii')),
    'two names of the same length make different pixels, so letters are drawn'
  )
})

t.test('light and dark differ, narrow is narrow', async (t) => {
  t.match(svg, /fill="#ffffff"/)
  t.match(renderSvg({ answer, theme: 'dark' }), /fill="#161b21"/)
  t.same(sizeOf(renderPng({ answer, width: 420 })).width, 420)
})

t.test('odd series are drawn, too', async (t) => {
  const none = new Array<null>(40).fill(null)
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, c) => [`channel_${c}`, Array.from({ length: 50 }, (_, i) => Math.sin(i + c))])
  )
  const series: Record<string, Plot['answer']> = {
    constant: bareAnswer({ level: new Array<number>(40).fill(7) }, { score: new Array<number>(40).fill(0) }),
    zero: bareAnswer({ level: new Array<number>(40).fill(0) }),
    'all missing': bareAnswer({ level: none }, {
      score: none,
      expected: { level: none },
      lower: { level: none },
      upper: { level: none },
      contributions: { level: none },
    }),
    'one observation': bareAnswer({ level: [3] }, { score: [2], contributions: { level: [1] } }),
    'no observation': bareAnswer({ level: [] }, { score: [] }),
    'no channel': bareAnswer({}),
    '300 channels': bareAnswer(many, { score: new Array<number>(50).fill(0.5) }),
    'values far apart': bareAnswer({ level: [1e-300, -1e300, 1e300, 5] }),
  }
  for (const [name, odd] of Object.entries(series)) {
    t.same(renderPng({ answer: odd }).subarray(0, 8), PNG_SIGNATURE, name)
  }
  t.match(
    renderSvg({ answer: bareAnswer({ level: [3] }) }),
    /<path d="[^"]+"[^>]*fill="#0b63a5"/,
    'a single observation is a dot'
  )
})

t.test('of many channels the most contributing twelve are drawn, or the chosen ones', async (t) => {
  const columns = Object.fromEntries(Array.from({ length: 100 }, (_, c) => [`channel_${c}`, [1, 2, 3]]))
  const contributions = Object.fromEntries(
    Object.keys(columns).map((name, c) => [name, new Array<number>(3).fill(c / 4950)])
  )
  const wide = bareAnswer(columns, { score: [2, 2, 2], contributions })
  const drawn = (
    plot: Plot
  ): string[] => [...new Set(texts(renderSvg(plot)).filter((text) => text.startsWith('channel_')))]
  t.same(drawn({ answer: wide }), Array.from({ length: 12 }, (_, i) => `channel_${88 + i}`))
  t.same(drawn({ answer: wide, channels: ['channel_3', 'channel_1'] }), ['channel_3', 'channel_1'])
})

t.test('ill-natured channel names stay text', async (t) => {
  const hostile = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "it's & {a|b} \\ ]]>",
    `long ${'x'.repeat(4000)}`,
    '<!--',
    '__proto__',
    'constructor',
    'two\n__proto__\nlines',
    '温度 °C',
  ]
  const document = renderSvg({ answer: renamed(answer, (name) => hostile[names.indexOf(name)] ?? name) })
  t.notMatch(document, /<script|<img|<!--/)
  t.match(document, /&lt;script&gt;/)
  t.same(Object.keys(Object.prototype), [], 'no name reaches into the prototype of all objects')
  t.same(
    renderPng({ answer: renamed(answer, (name) => hostile[names.indexOf(name)] ?? name) }).subarray(0, 8),
    PNG_SIGNATURE,
    'and the document is well-formed'
  )
})

t.test('two months are thinned, yet keep their spikes', async (t) => {
  const length = 8640
  const spike = Array.from({ length }, (_, i) => i === 5003 ? 100 : Math.sin(i / 20))
  const document = renderSvg({ answer: bareAnswer({ level: spike }) })
  const points = /<path d="([^"]*)"[^>]*stroke="#0b63a5"/.exec(document)?.[1]?.match(/-?[\d.]+/g)?.map(Number) ?? []
  const heights = points.filter((_, i) => i % 2 === 1)
  t.ok(points.length > 200 && points.length < length, `${points.length / 2} points`)
  const sorted = heights.toSorted((a, b) => a - b)
  t.ok((sorted[1] ?? 0) - (sorted[0] ?? 0) > 40, 'one point stands far above all others')
})

/** The colours of a PNG with a palette. */
function pixelsOf (png: Buffer): (x: number, y: number) => string {
  const { width } = sizeOf(png)
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    t.equal(png.readUInt32BE(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)), `checksum of ${type}`)
    chunks.set(type, png.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  const [rows, palette] = [inflateSync(chunks.get('IDAT')!), chunks.get('PLTE')!]
  return (x, y) => `#${palette.subarray(3 * rows[y * (width + 1) + 1 + x]!).subarray(0, 3).toString('hex')}`
}

t.test('the PNG shows title, threshold, line, band and shaded anomalies where they belong', async (t) => {
  const length = 400
  const level = Array.from({ length }, () => 5)
  const plot = bareAnswer({ level }, {
    score: Array.from({ length }, (_, i) => i >= 200 && i < 240 ? 3 : 0.5),
    expected: { level },
    lower: { level: level.map(() => 3) },
    upper: { level: level.map(() => 7) },
    anomalies: [{
      start: new Date(Date.parse(answer.start) + 200 * STEP).toISOString(),
      end: new Date(Date.parse(answer.start) + 239 * STEP).toISOString(),
      peak: answer.start,
      peakScore: 3,
      kind: 'level',
      message: 'level: 9, expected 5 ± 2',
      channels: [],
    }],
  })
  const png = renderPng({ answer: { ...plot, start: answer.start, step: answer.step }, title: 'Turbine' })
  const at = pixelsOf(png)
  const { width, height } = sizeOf(png)
  const column = (x: number): Set<string> => new Set(Array.from({ length: height }, (_, y) => at(x, y)))
  const inTitle =
    Array.from({ length: 20 * 90 }, (_, i) => at(i % 90, Math.floor(i / 90))).filter((color) => color !== '#ffffff')
      .length
  t.ok(inTitle > 100, 'letters of the title')
  const middle = 130 + (1200 - 24 - 130) * 220 / length
  const shaded = column(Math.round(middle))
  const plain = column(Math.round(130 + (1200 - 24 - 130) * 100 / length))
  t.ok(
    shaded.has('#f9e9df') || [...shaded].some((color) => /^#f[a-f0-9]e[a-f0-9]d/.test(color)),
    `shaded: ${[...shaded].join()}`
  )
  t.notOk([...plain].some((color) => /^#f[a-f0-9]e[a-f0-9]d/.test(color)), 'and nowhere else')
  t.ok(
    [...plain].some((color) => Number.parseInt(color.slice(5), 16) - Number.parseInt(color.slice(1, 3), 16) > 60),
    'the line is blue'
  )
  t.equal(at(width - 1, height - 1), '#ffffff')
  t.ok(renderPng({ answer: plot }).equals(renderPng({ answer: plot })), 'the same bytes each time')
})

t.test('observations that had no times are numbered', async (t) => {
  const begin = (ms: string): string => new Date(Date.parse(ms) - Date.parse(answer.start)).toISOString()
  const numbered = {
    ...answer,
    numbered: true,
    start: begin(answer.start),
    anomalies: answer.anomalies!.map((anomaly) => ({
      ...anomaly,
      start: begin(anomaly.start),
      end: begin(anomaly.end),
    })),
  } as const
  const found = texts(renderSvg({ answer: numbered }))
  t.ok(found.includes('100') && found.includes('200'), found.join())
  t.notOk(found.some((text) => /\d:\d\d|Jan|UTC/.test(text)), 'no times')
  t.ok(
    found.some((text) => /anomalies in \d+ observations; worst: observations \d+ – \d+, score/.test(text)),
    'nor in the heading'
  )
  t.notOk(renderPng({ answer: numbered }).equals(renderPng({ answer })))
})
