// The laws of any database. They run on SQLite here, and on a real InfluxDB and Cassandra in the integration tests.
import type { Test } from 'tap'
import { createRandom } from '../../../core/random.ts'
import type { Annotation, Gap, Incident, RawObservation, Verdict } from '../../messages/messages.ts'
import type { Batch, Database } from '../database.ts'

export const BEGIN = Date.UTC(2026, 0, 31, 23, 30)
const ALWAYS = { from: 0, to: Date.UTC(2100, 0, 1) }
const at = (seconds: number): string => new Date(BEGIN + 1000 * seconds).toISOString()

export const batchOf = (parts: Partial<Batch>): Batch => ({
  observations: [],
  verdicts: [],
  gaps: [],
  incidents: [],
  annotations: [],
  ...parts,
})

/** Numbers that lose their last bit by rounding. */
const NUMBERS = [
  0.1,
  1 / 3,
  -1 / 3,
  1e21,
  -2.5e-7,
  5e-324,
  Number.MAX_VALUE,
  Number.MIN_SAFE_INTEGER,
  0,
  123456.789012345,
]

/** Names with characters that are special in some language. */
const ODD_NAMES = [
  'a,b',
  'a b',
  'a=b',
  '"quoted"',
  "it's",
  'back\\slash',
  'at the end\\',
  'a\\,b\\ c',
  'new\nline',
  'tab\tand\rreturn',
  'nul\0',
  '\u241b000a',
  'emoji 🌀',
  'größe',
  '__proto__',
  'constructor',
  'time',
  'series',
  '_value',
  '_field',
  '_time',
  '$' + '{x}',
  '$1 $&',
  '%0A',
  '?',
  '; DROP TABLE verdict',
  ' ',
  '#',
  'null',
  '1',
] as const

export function verdict (series: string, seconds: number, parts: Partial<Verdict> = {}): Verdict {
  const random = createRandom(`${series} ${seconds}`)
  const channels = ['wind_speed_ms', 'power_kw', 'pitch_deg']
  const numbers = (): Record<string, number> =>
    Object.fromEntries(channels.map((channel) => [channel, 10 * random.normal()]))
  return {
    series,
    time: at(seconds),
    model: { name: 'wind-turbine', version: '3', digest: `sha256:${'ab'.repeat(32)}` },
    score: Math.abs(random.normal()),
    anomalous: false,
    threshold: 1,
    contributions: channels.map((channel, i) => ({ channel, contribution: [0.6, 0.3, 0.1][i]! })),
    values: numbers(),
    expected: numbers(),
    imputed: [],
    ...parts,
  }
}

export function incident (series: string, id: string, parts: Partial<Incident> = {}): Incident {
  return {
    id,
    series,
    model: { name: 'wind-turbine', version: '3', digest: 'sha256:ab' },
    start: at(100),
    end: at(100),
    closed: false,
    peak: { time: at(100), score: 1 / 3 + 1 },
    severity: 'warning',
    kind: 'spike',
    message: 'c1: value 100.2, expected 80.1 ± 3',
    channels: [{ channel: 'power_kw', contribution: 1 / 3 }],
    observations: 1,
    ...parts,
  }
}

const untouched = { acknowledgedAt: null, feedback: null, note: null }

/** Each law gets a database that others have used, and a new prefix for names. */
export const LAWS: Readonly<Record<string, (t: Test, database: Database, own: string) => Promise<void>>> = {
  'what is written is read bit for bit': async (t, database, own) => {
    const values = Object.fromEntries(NUMBERS.map((number, i) => [`c${i}`, number]))
    const ranked = NUMBERS.map((number, i) => ({ channel: `c${i}`, contribution: number })).sort((a, b) =>
      b.contribution - a.contribution
    )
    const written = [
      verdict(own, 0),
      verdict(own, 1, {
        values,
        expected: values,
        contributions: ranked,
        score: 0.1 + 0.2,
        threshold: 1 / 3,
        anomalous: true,
        imputed: ['c3', 'c1'],
        kind: 'pattern',
      }),
      verdict(own, 2, {
        contributions: ranked.slice(3, 6),
        values: { ...values, c0: null, c1: null },
        expected: { c3: 5e-324 },
      }),
      verdict(own, 3, { score: null, anomalous: null, contributions: null, expected: null }),
      verdict(own, 4, { score: null, anomalous: null, contributions: [], expected: {}, values: {}, imputed: [] }),
      verdict(own, 5, {
        values: { a: 1, b: null },
        expected: { z: 2 },
        contributions: [{ channel: 'y', contribution: 1 }],
        imputed: ['x'],
        score: 7,
        anomalous: true,
      }),
      verdict(own, 5.001, { model: { name: 'a "model", \\ of 1=1', version: '10', digest: '' }, score: 0 }),
    ]
    await database.write(batchOf({ verdicts: written }))
    t.strictSame(await database.verdicts(own, ALWAYS, 100), written)
  },

  'writing again changes nothing, in whatever order': async (t, database, own) => {
    const verdicts = Array.from(
      { length: 50 },
      (_, i) => verdict(own, i, i % 7 === 0 ? { score: null, anomalous: null } : {})
    )
    const gaps: Gap[] = [{ series: own, from: at(60), to: at(70), interval: 1000 }]
    const incidents = [incident(own, `${own}/1`), incident(own, `${own}/1`, { observations: 2, end: at(101) })]
    const annotations: Annotation[] = [{ series: own, incident: `${own}/1`, at: at(200), kind: 'acknowledged' }]
    const all = batchOf({ verdicts, gaps, incidents, annotations })
    const read = async (): Promise<
      unknown
    > => [
      await database.verdicts(own, ALWAYS, 1000),
      await database.gaps(own, ALWAYS),
      await database.incidents(ALWAYS, 10, own),
      (await database.fleet()).filter(({ series }) => series === own),
    ]
    await database.write(all)
    const before = await read()
    await database.write(all)
    for (const parts of [
      { verdicts: verdicts.slice(10, 20).reverse() },
      { incidents: [incidents[0]!] },
      { gaps, annotations },
    ]) await database.write(batchOf(parts))
    t.strictSame(await read(), before)
    t.equal((await database.verdicts(own, ALWAYS, 1000)).length, 50)
    t.strictSame(await database.gaps(own, ALWAYS), gaps)
  },

  'an incident is as its newest state says, whichever comes last': async (t, database, own) => {
    const id = `${own}/1`
    const opened = incident(own, id)
    const updated = incident(own, id, {
      end: at(110),
      observations: 8,
      severity: 'critical',
      peak: { time: at(105), score: 9.5 },
    })
    const closed = { ...updated, closed: true }
    for (const [states, expected] of [
      [[opened], opened],
      [[updated], updated],
      [[opened], updated],
      [[closed], closed],
      [[opened, updated], closed],
      [[updated], closed],
      [[closed, opened], closed],
    ] as const) {
      await database.write(batchOf({ incidents: states }))
      t.strictSame(await database.incident(id), { ...expected, ...untouched })
    }
    t.strictSame(await database.incidents(ALWAYS, 10, own), [{ ...closed, ...untouched }], 'and is one incident')
  },

  'the fleet is the newest verdict of each series': async (t, database, own) => {
    const names = Array.from({ length: 5 }, (_, i) => `${own} ${i}`)
    await database.write(
      batchOf({
        verdicts: names.flatMap((name, i) => [
          verdict(name, 40 + i, i === 2 ? { score: null, anomalous: null } : {}),
          verdict(name, 10),
          verdict(name, 20),
        ]),
      })
    )
    await database.write(batchOf({ verdicts: [verdict(names[0]!, 86_400 * 40)] }))
    const fleet = (await database.fleet()).filter(({ series }) => series.startsWith(own)).sort((a, b) =>
      a.series < b.series ? -1 : 1
    )
    t.strictSame(
      fleet,
      names.map((name, i) =>
        i === 0 ? verdict(name, 86_400 * 40) : verdict(name, 40 + i, i === 2 ? { score: null, anomalous: null } : {})
      )
    )
  },

  'periods have both ends inside, limits keep the newest, order is that of time': async (t, database, own) => {
    // Over midnight, and the end of a month.
    const verdicts = Array.from(
      { length: 60 },
      (_, i) => verdict(own, 60 * i, i % 3 === 0 ? { score: null, anomalous: null } : {})
    )
    await database.write(batchOf({ verdicts: [...verdicts.slice(30), ...verdicts.slice(0, 30)] }))
    const minutes = (from: number, to: number): { from: number, to: number } => ({
      from: BEGIN + 60_000 * from,
      to: BEGIN + 60_000 * to,
    })
    t.strictSame(await database.verdicts(own, minutes(10, 50), 100), verdicts.slice(10, 51))
    t.strictSame(await database.verdicts(own, minutes(10, 50), 7), verdicts.slice(44, 51))
    t.strictSame(await database.verdicts(own, minutes(25, 35), 8), verdicts.slice(28, 36))
    t.strictSame(await database.verdicts(own, minutes(3, 3), 100), verdicts.slice(3, 4))
    t.strictSame(await database.verdicts(own, minutes(3.1, 3.9), 100), [])
    t.strictSame(await database.verdicts(`${own} of nobody`, ALWAYS, 100), [])
    t.strictSame(await database.verdicts(own, { from: -Infinity, to: Infinity }, 2), verdicts.slice(58))
    const gaps = [[0, 5], [10, 20], [30, 40]].map(([from, to]): Gap => ({
      series: own,
      from: at(60 * from!),
      to: at(60 * to!),
      interval: 60_000,
    }))
    await database.write(batchOf({ gaps: [...gaps].reverse() }))
    t.strictSame(await database.gaps(own, ALWAYS), gaps)
    t.strictSame(await database.gaps(own, minutes(5, 10)), gaps.slice(0, 2), 'those that overlap it')
    t.strictSame(await database.gaps(own, minutes(41, 50)), [])
  },

  'incidents of a period overlap it, the newest first': async (t, database, own) => {
    const [a, b] = [`${own} a`, `${own} b`]
    const hours = (from: number, to: number): Pick<Incident, 'start' | 'end'> => ({
      start: at(3600 * from),
      end: at(3600 * to),
    })
    const period = (from: number, to: number): { from: number, to: number } => ({
      from: BEGIN + 3_600_000 * from,
      to: BEGIN + 3_600_000 * to,
    })
    const incidents = [
      incident(a, `${own}/1`, hours(0, 2000)),
      incident(b, `${own}/2`, hours(1, 2)),
      incident(a, `${own}/3`, hours(3, 5)),
      incident(b, `${own}/4`, hours(800, 801)),
    ]
    await database.write(batchOf({ incidents }))
    const ids = async (span: { from: number, to: number }, limit = 1000, series?: string): Promise<string[]> =>
      (await database.incidents(span, limit, series)).map(({ id }) => id)
        .filter((id) => id.startsWith(`${own}/`))
        .map((id) => id.slice(own.length + 1))
    t.strictSame(await ids(ALWAYS), ['4', '3', '2', '1'])
    t.strictSame(await ids(ALWAYS, 2, b), ['4', '2'])
    t.strictSame(await ids(ALWAYS, 1, b), ['4'])
    t.strictSame(await ids(period(2, 3), 1000, a), ['3', '1'])
    t.strictSame(await ids(period(2, 3), 1000, b), ['2'])
    t.strictSame(await ids(period(100, 200), 1000, a), ['1'], 'one that began long before')
    t.strictSame(await ids(period(1500, 1600), 1000, b), [])
    t.equal(await database.incident(`${own}/5`), undefined)
  },

  'an incident says what people said of it': async (t, database, own) => {
    const [id, other] = [`${own}/1`, `${own}/2`]
    const said = (seconds: number, kind: Annotation['kind'], note?: string): Annotation => ({
      incident: id,
      series: own,
      at: at(seconds),
      kind,
      ...(note !== undefined && { note }),
    })
    await database.write(batchOf({ annotations: [said(300, 'acknowledged')] }))
    await database.write(batchOf({ incidents: [incident(own, id), incident(own, other)] }))
    t.match(await database.incident(id), { acknowledgedAt: at(300), feedback: null, note: null })
    await database.write(
      batchOf({
        annotations: [
          said(500, 'false-alarm', 'Icing, "as" every\\ winter\nü🌀'),
          said(400, 'confirmed', 'Bearing'),
          said(450, 'acknowledged'),
        ],
      })
    )
    const expected = {
      ...incident(own, id),
      acknowledgedAt: at(300),
      feedback: 'false-alarm',
      note: 'Icing, "as" every\\ winter\nü🌀',
    }
    t.strictSame(await database.incident(id), expected, 'the first acknowledgement, the last feedback')
    t.strictSame((await database.incidents(ALWAYS, 10, own)).find((one) => one.id === id), expected)
    t.strictSame(await database.incident(other), { ...incident(own, other), ...untouched })
    await database.write(batchOf({ incidents: [incident(own, id, { end: at(120), observations: 3 })] }))
    t.match(await database.incident(id), { observations: 3, feedback: 'false-alarm' }, 'whatever becomes of it')
  },

  'names may be odd': async (t, database, own) => {
    const values = Object.fromEntries(ODD_NAMES.map((name, i) => [name, i + 0.5]))
    const contributions = ODD_NAMES.map((channel, i) => ({ channel, contribution: 1 / (i + 2) }))
    const names = ODD_NAMES.map((name) => `${own}${name}`)
    const verdicts = names.map((name) =>
      verdict(name, 0, { values, expected: values, contributions, imputed: [...ODD_NAMES] })
    )
    const incidents = names.map((name) => incident(name, `${name}/1`, { channels: contributions }))
    await database.write(batchOf({
      verdicts,
      incidents,
      observations: names.map((name): RawObservation => ({ series: name, time: at(0), values })),
      gaps: names.map((name): Gap => ({ series: name, from: at(1), to: at(2), interval: 1000 })),
      annotations: names.map((name): Annotation => ({
        series: name,
        incident: `${name}/1`,
        at: at(3),
        kind: 'confirmed',
        note: name,
      })),
    }))
    for (const [i, name] of names.entries()) {
      t.strictSame(await database.verdicts(name, ALWAYS, 10), [verdicts[i]], JSON.stringify(ODD_NAMES[i]))
      t.strictSame(await database.incident(`${name}/1`), {
        ...incidents[i],
        ...untouched,
        feedback: 'confirmed',
        note: name,
      })
    }
    t.equal((await database.gaps(names.at(-1)!, ALWAYS)).length, 1)
    t.equal((await database.incidents(ALWAYS, 10, names[7])).length, 1)
    t.strictSame(
      (await database.fleet()).map(({ series }) => series).filter((name) => name.startsWith(own)).sort(),
      [...names].sort()
    )
  },

  'nothing written is no failure': async (t, database) => {
    await database.write(batchOf({}))
    await database.write(
      batchOf({
        observations: [{ series: 'of nothing', time: at(0), values: {} }, {
          series: 'of nothing',
          time: at(1),
          values: { a: null },
        }],
      })
    )
    t.pass()
  },

  'a huge batch is kept as a whole': async (t, database, own) => {
    const series = Array.from({ length: 20 }, (_, i) => `${own} ${i}`)
    const verdicts = Array.from({ length: 20_000 }, (_, i) => verdict(series[i % 20]!, Math.floor(i / 20)))
    await database.write(
      batchOf({ verdicts, observations: verdicts.map(({ series, time, values }) => ({ series, time, values })) })
    )
    for (const name of [series[0]!, series[19]!]) {
      t.strictSame(
        await database.verdicts(name, ALWAYS, 5000),
        verdicts.filter((one) => one.series === name)
      )
    }
  },

  'many may write at once': async (t, database, own) => {
    const series = Array.from({ length: 12 }, (_, i) => `${own} ${i}`)
    await Promise.all(series.map(async (name) => {
      for (let i = 0; i < 5; i++) {
        await database.write(
          batchOf({
            verdicts: [verdict(name, 2 * i), verdict(name, 2 * i + 1)],
            incidents: [incident(name, `${name}/1`, { observations: i + 1, end: at(100 + i) })],
          })
        )
      }
    }))
    for (const name of series) {
      t.strictSame(
        (await database.verdicts(name, ALWAYS, 100)).map(({ time }) => time),
        Array.from({ length: 10 }, (_, i) => at(i))
      )
      t.match(await database.incident(`${name}/1`), { observations: 5 })
    }
  },
}
