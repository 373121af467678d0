// The sensitivity sheet: what is injected where, what is counted, and what is said of it.
import t from 'tap'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { Problem } from '../../errors.ts'
import { createRandom } from '../../random.ts'
import { fitScaler } from '../../series/scaler.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { altered, waves } from '../../test/synthetic.ts'
import { cellsFor } from '../cells.ts'
import { type InjectedKind, injectInto } from '../inject.ts'
import { measureSensitivity, type SensitivityFinding, type SensitivitySheet } from '../sheet.ts'
import { describeSensitivity } from '../words.ts'

const INTERVAL = 60_000

/** Two channels that go together, one that does not vary, and noise. */
function plant (length: number, seed = 1): Series {
  const random = createRandom(`plant/${seed}`)
  const columns: Record<string, number[]> = { flow: [], still: [], power: [] }
  for (let i = 0; i < length; i++) {
    const common = random.normal()
    columns['flow']!.push(10 + common + 0.2 * random.normal())
    columns['still']!.push(4)
    columns['power']!.push(500 + 100 * common + 20 * random.normal())
  }
  return fromColumns({ start: 0, interval: INTERVAL, columns })
}

const adHoc = async (series: readonly Series[]) => fitAdHoc(series[0]!, { rows: series[0]!.length })

/** Values before and after an injection of the kind. */
function injected (series: Series, kind: InjectedKind, length: number, size = 0): Float64Array {
  const values = series.values.slice()
  const scaler = fitScaler([series.values], series.channels.length)
  injectInto({ values, scaler, random: createRandom(7), elsewhere: series }, kind, { c: 0, from: 100, length }, size)
  return values
}

t.test('each kind changes what it says, there and nowhere else', async (t) => {
  const series = plant(400)
  const { center, scale } = fitScaler([series.values], 3)
  const kinds: Array<[InjectedKind, number, number, number[]]> = [
    ['spike', 1, 5, [0]],
    ['level', 30, 2, [0]],
    ['drift', 60, 4, [0]],
    ['noise', 30, 1, [0]],
    ['quiet', 30, 0, [0]],
    ['missing-cycle', 30, 0, [0]],
    ['swap', 30, 0, [0, 2]],
    ['break', 30, 0, [0]],
  ]
  for (const [kind, length, size, channels] of kinds) {
    const values = injected(series, kind, length, size)
    const changed = [...values.keys()].filter((i) => values[i] !== series.values[i])
    t.ok(changed.length > 0 && changed.every((i) => i >= 300 && i < 3 * (100 + length)), `${kind}: in its place`)
    t.strictSame([...new Set(changed.map((i) => i % 3))].sort(), channels, `${kind}: in its channels`)
    t.strictSame(injected(series, kind, length, size), values, `${kind}: again`)
  }
  const at = (values: Float64Array, i: number, c = 0): number => values[3 * (100 + i) + c]!
  const off = (kind: InjectedKind, i: number, length: number, size: number): number =>
    Math.abs(at(injected(series, kind, length, size), i) - at(series.values, i)) / scale[0]!
  t.ok(Math.abs(off('spike', 0, 1, 5) - 5) < 1e-9)
  t.ok(Math.abs(off('level', 29, 30, 2) - 2) < 1e-9)
  t.ok(Math.abs(off('drift', 29, 60, 4) - 2) < 1e-9 && Math.abs(off('drift', 59, 60, 4) - 4) < 1e-9)
  for (const kind of ['quiet', 'missing-cycle'] as const) {
    t.equal(new Set(injected(series, kind, 30).filter((_, i) => i % 3 === 0 && i >= 300 && i < 390)).size, 1, kind)
  }
  const swapped = injected(series, 'swap', 30)
  const standard = (values: Float64Array, c: number): number => (at(values, 3, c) - center[c]!) / scale[c]!
  t.ok(Math.abs(standard(swapped, 0) - standard(series.values, 2)) < 1e-9)
  t.ok(Math.abs(standard(swapped, 2) - standard(series.values, 0)) < 1e-9)
})

t.test('of a long spike the first value and some others are off, each by the size', async (t) => {
  const series = plant(400)
  const [scale] = fitScaler([series.values], 3).scale
  const values = injected(series, 'spike', 40, 5)
  const off = Array.from({ length: 40 }, (_, i) => (values[3 * (100 + i)]! - series.values[3 * (100 + i)]!) / scale!)
  t.ok(off.every((size) => size === 0 || Math.abs(Math.abs(size) - 5) < 1e-9))
  const some = off.filter((size) => size !== 0)
  t.ok(off[0] !== 0 && some.length > 4 && some.length < 20, `${some.length} of 40`)
  t.ok(some.some((size) => size > 0) && some.some((size) => size < 0), 'up and down')
})

t.test('a gap stays a gap, and where no value is nothing is injected', async (t) => {
  const gappy = altered(plant(400), (values) => values.fill(NaN, 300, 330))
  for (const kind of ['quiet', 'missing-cycle', 'swap', 'break', 'level'] as const) {
    const values = injected(gappy, kind, 10, 3)
    t.ok(values.subarray(300, 330).every(Number.isNaN), kind)
    t.notOk(injected(gappy, kind, 20, 3).subarray(330, 360).every(Number.isNaN), kind)
  }
})

t.test('what is asked depends on channels, cycles and room', async (t) => {
  const cycle = (length: number, noise: number): Series => {
    const random = createRandom('cycle')
    const x = Array.from({ length }, (_, i) => Math.sin(2 * Math.PI * i / 24) + noise * random.normal())
    return fromColumns({ start: 0, interval: INTERVAL, columns: { x } })
  }
  const asked = (series: Series, room: number): string[] => [
    ...new Set(cellsFor([series], fitScaler([series.values], series.channels.length), room).map(({ kind }) => kind)),
  ]
  t.strictSame(asked(cycle(400, 0.1), 200), ['spike', 'level', 'drift', 'quiet', 'missing-cycle'])
  t.strictSame(asked(cycle(400, 3), 200), ['spike', 'level', 'drift', 'quiet'], 'noise has no cycle')
  t.strictSame(asked(plant(400), 200), ['spike', 'level', 'drift', 'quiet', 'swap'])
  t.strictSame(asked(plant(400), 30), ['spike', 'quiet', 'swap'], 'at most half of the room')
  t.strictSame(asked(plant(400), 1), [])
  const still = fromColumns({ start: 0, interval: INTERVAL, columns: { x: new Float64Array(400).fill(3) } })
  t.strictSame(asked(still, 200), [])
  const gappy = altered(cycle(400, 0.1), (values) => values.fill(NaN, 30, 50))
  t.ok(asked(gappy, 200).includes('missing-cycle'), 'a gap hides no cycle')
  const twice = cellsFor([cycle(200, 0.1), cycle(400, 0.1)], fitScaler([cycle(400, 0.1).values], 1), 200)
  t.equal(twice.at(-1)!.length % 24, 0)
  const waves = (...periods: number[]): Series => fromColumns({
    start: 0,
    interval: INTERVAL,
    columns: Object.fromEntries(periods.map((period) =>
      [`each_${period}`, Array.from({ length: 400 }, (_, i) => Math.sin(2 * Math.PI * i / period))])),
  })
  const both = cellsFor([waves(40, 8)], fitScaler([waves(40, 8).values], 2), 200)
    .filter(({ kind }) => kind === 'missing-cycle')
  t.strictSame(both.map(({ length, channels }) => [length, channels]), [[8, [1]], [40, [0]]], 'shorter cycles first')
  const standing = cellsFor([still, cycle(200, 0.1)], fitScaler([cycle(200, 0.1).values], 1), 200)
  t.notOk(standing.some(({ kind }) => kind === 'missing-cycle'), 'none where the longest series stands still')
})

t.test('the same data give the same sheet; larger sizes are found more; constant channels are left out', async (t) => {
  const series = plant(1600)
  const options = { values: 400_000 }
  const sheet = await measureSensitivity([series], adHoc, options)
  t.strictSame(await measureSensitivity([series], adHoc, options), sheet)
  t.strictSame(JSON.parse(JSON.stringify(sheet)), sheet, 'plain JSON')
  t.equal(sheet.observations, 400)
  t.ok(sheet.falseAlarms.batch < 10 && sheet.falseAlarms.causal < 10)
  t.strictSame([...new Set(sheet.findings.map(({ channel }) => channel))], ['flow', 'power'])
  const shares = (wanted: InjectedKind, scoring: 'batch' | 'causal'): number[] =>
    sheet.findings.filter(({ kind, channel }) => kind === wanted && channel === 'flow').map((one) => one[scoring].found)
  for (const scoring of ['batch', 'causal'] as const) {
    const levels = shares('level', scoring)
    t.strictSame([levels.length, levels.at(-1)], [3, 1])
    t.strictSame(levels, levels.toSorted((a, b) => a - b))
  }
  const large = sheet.findings.find(({ kind, size, channel }) => kind === 'level' && size === 4 && channel === 'power')!
  t.strictSame([large.length, large.batch], [30, { found: 1, named: 1 }])
  t.ok(large.injected > 10 && large.injected <= 20)
  t.ok(sheet.findings.every(({ batch, causal }) => batch.named <= batch.found && causal.named <= causal.found))
})

t.test('fewer values mean fewer injections, then fewer channels', async (t) => {
  const series = plant(1600)
  const few = await measureSensitivity([series], adHoc, { values: 80_000 })
  t.ok(few.findings.every(({ injected }) => injected >= 2 && injected < 10))
  t.equal(new Set(few.findings.map(({ channel }) => channel)).size, 2)
  const fewest = await measureSensitivity([series], adHoc, { values: 5000 })
  t.strictSame([...new Set(fewest.findings.map(({ channel }) => channel))], ['flow'])
  t.strictSame([few.observations, fewest.observations], [400, 334])
})

t.test('doubtful observations are neither used nor counted', async (t) => {
  const length = 1600
  const faulty = altered(plant(length), (values) => {
    for (let i = 1300; i < 1400; i++) values[3 * i] = 30
  })
  const doubtful = new Uint8Array(length).fill(1, 1250, 1450)
  const [all, normal] = [
    await measureSensitivity([faulty], adHoc, { values: 50_000 }),
    await measureSensitivity([faulty], adHoc, { values: 50_000, doubtful: [doubtful] }),
  ]
  t.ok(all.falseAlarms.batch > 0)
  t.strictSame([normal.falseAlarms.batch, normal.observations, all.observations], [0, 200, 400])
})

t.test('too little data: nothing is measured; other failures are not hidden', async (t) => {
  const sheet = await measureSensitivity([plant(50)], adHoc)
  const tooFew = async () => { throw new Problem('no-training-data', 'too few') }
  t.strictSame(await measureSensitivity([plant(400)], tooFew), sheet)
  t.strictSame(sheet, { observations: 0, falseAlarms: { batch: 0, causal: 0 }, findings: [] })
  t.match(describeSensitivity(sheet, INTERVAL), /^Not measured/)
  await t.rejects(measureSensitivity([plant(400)], async () => { throw new Problem('internal-error', 'broken') }), {
    code: 'internal-error',
  })
})

t.test('without a normal place or an observation with a score, the sheet says so', async (t) => {
  const fitted = await fitAdHoc(plant(400))
  const nervous = {
    ...fitted,
    model: {
      ...fitted.model,
      batch: { ...fitted.model.batch, threshold: 1e-9 },
      causal: { ...fitted.model.causal, threshold: 1e-9 },
    },
  }
  const sheet = await measureSensitivity([plant(400)], async () => nervous)
  t.strictSame(sheet.findings, [])
  t.ok(sheet.falseAlarms.batch > 0)
  t.match(describeSensitivity(sheet, INTERVAL), /^No place was normal enough/)
  const empty = altered(plant(400), (values) => values.fill(NaN, 200 * 3))
  const unscored = await measureSensitivity([empty], async () => fitted)
  t.strictSame(unscored.falseAlarms, { batch: 0, causal: 0 })
})

t.test('what a fit holds is freed', async (t) => {
  let freed = 0
  const fitted = await fitAdHoc(waves(400, 1))
  const autoencoders = fitted.autoencoders.map((autoencoder) => ({ ...autoencoder, dispose: () => { freed++ } }))
  await measureSensitivity([waves(400, 1)], async () => ({ model: fitted.model, autoencoders }), { values: 1000 })
  t.equal(freed, autoencoders.length)
})

t.test('in words', async (t) => {
  const finding = (
    kind: InjectedKind,
    [size, length]: [number | null, number],
    [batch, causal]: [number, number],
    channel = 'kw'
  ): SensitivityFinding => ({
    channel,
    kind,
    size,
    length,
    injected: 10,
    batch: { found: batch, named: batch },
    causal: { found: causal, named: causal },
  })
  const sheetOf = (findings: SensitivityFinding[], batch = 0.5, causal = 0.5): SensitivitySheet => ({
    observations: 1000,
    falseAlarms: { batch, causal },
    findings,
  })
  const minutes = (...findings: SensitivityFinding[]): string => describeSensitivity(sheetOf(findings), 60_000)
  const tail = ' 0.5 false anomalies per 1,000 observations.'
  t.equal(
    minutes(
      finding('spike', [2, 1], [0.4, 0.3]),
      finding('spike', [4, 1], [0.95, 0.8]),
      finding('spike', [10, 1], [1, 1]),
      finding('level', [1, 30], [0.6, 0.6]),
      finding('level', [4, 30], [0.8, 0.8]),
      finding('quiet', [null, 10], [0, 0]),
      finding('quiet', [null, 90], [0.2, 0.4])
    ),
    'Finds in kw a spike of 4 σ in 95 % (causal 80 %), a level of 4 σ over 30 min in 80 %. ' +
      `Blind to a value frozen for 1 h 30 min.${tail}`
  )
  t.equal(
    minutes(
      ...['a', 'b', 'c', 'd', 'e'].map((channel) => finding('drift', [8, 60], [0, 0], channel)),
      finding('drift', [8, 60], [1, 1], 'f')
    ),
    `Finds a drift by 8 σ over 1 h in 100 %. Blind to a drift by 8 σ over 1 h in a, b, c and 2 more.${tail}`
  )
  t.equal(
    minutes(...['a', 'b', 'c'].map((channel) => finding('drift', [8, 60], channel < 'c' ? [0, 0] : [1, 1], channel))),
    `Finds a drift by 8 σ over 1 h in 100 %. Blind to a drift by 8 σ over 1 h in a, b.${tail}`
  )
  t.equal(
    minutes(finding('missing-cycle', [null, 1440], [1, 1], 'a'), finding('missing-cycle', [null, 60], [1, 1], 'b')),
    `Finds a missing cycle of 1 h in 100 %.${tail}`
  )
  t.equal(minutes(finding('swap', [null, 30], [0, 0])), `Blind to two channels exchanged for 30 min.${tail}`)
  t.equal(
    minutes(finding('noise', [2, 30], [1, 1]), finding('break', [null, 30], [1, 1])),
    `Finds in kw noise of 2 σ over 30 min in 100 %, a channel from another time for 30 min in 100 %.${tail}`
  )
  t.equal(
    describeSensitivity(sheetOf([finding('level', [1, 1], [1, 1])], 0.1, 2), 0.25),
    'Finds in kw a level of 1 σ over 0.25 ms in 100 %. 0.1 false anomalies per 1,000 observations (causal 2).'
  )
})
