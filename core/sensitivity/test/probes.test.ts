// Probes of detectors that cannot be proved, and what a check says. The mutations show that broken ones are found.
import t from 'tap'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { emptyDetection } from '../../scoring/detection.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { altered, waves } from '../../test/synthetic.ts'
import { type Judge, judgeOf } from '../judge.ts'
import { checkProbes, makeProbes } from '../probes.ts'

const SERIES = waves(600, 2)
const START = SERIES.start / SERIES.interval
const { model, autoencoders } = await fitAdHoc(SERIES)
const JUDGE = judgeOf(model, autoencoders)

/** A judge with a score of its own for each observation. */
function scoring (scoreOf: (series: Series, t: number) => number): Judge {
  return {
    ...JUDGE,
    detect: (_, series) => ({
      ...emptyDetection(series.length, 2),
      score: Float64Array.from({ length: series.length }, (_, t) => scoreOf(series, t)),
      contributions: new Float64Array(2 * series.length).fill(0.5),
    }),
  }
}

t.test('a detector that finds something everywhere or nothing anywhere has no probes', async (t) => {
  t.throws(() => makeProbes(scoring(() => 1.2), [SERIES]), { code: 'sensitivity-differs', message: /score 1\.20/ })
  t.throws(() => makeProbes(scoring(() => NaN), [SERIES]), { code: 'sensitivity-differs', message: /Infinity/ })
  t.throws(() => makeProbes(scoring(() => 0.2), [SERIES]), { code: 'sensitivity-differs', message: /no offset of up/ })
})

t.test('sizes that are found above one that is not make no probe', async (t) => {
  // Finds any offset up to 5, and none above.
  const fickle = scoring((series, t) => {
    const first = series.start / SERIES.interval - START
    const off = Math.abs(series.values[2 * t]! - SERIES.values[2 * (t + first)]!)
    return off > 0 && off < 5 ? 2 : 0
  })
  t.throws(() => makeProbes(fickle, [SERIES]), { code: 'sensitivity-differs' })
})

t.test('the calm stretch is taken from whatever series has one, with its gaps', async (t) => {
  const wild = altered(SERIES, (values) => {
    for (let i = 0; i < values.length; i += 2) values[i]! += i % 4 === 0 ? 3 : -3
  })
  const gappy = altered(SERIES, (values) => { for (let i = 80; i < values.length; i += 80) values[i] = NaN })
  const probes = makeProbes(JUDGE, [wild, gappy])
  t.ok(probes.values['channel_0']!.includes(null))
  t.doesNotThrow(() => checkProbes(JUDGE, probes))
  t.strictSame(makeProbes(JUDGE, [wild, gappy]), probes)
})

t.test('a check says what differs', async (t) => {
  const probes = makeProbes(JUDGE, [SERIES])
  const refuses = (changed: Partial<typeof probes>, message: RegExp, judge = JUDGE): void => {
    t.throws(() => { checkProbes(judge, { ...probes, ...changed }) }, { code: 'sensitivity-differs', message })
  }
  refuses({ probes: [] }, /no probe/)
  refuses({ values: { channel_0: probes.values['channel_0']! } }, /scores no observation/)
  const unscored = probes.calmAt.causal.map(() => null)
  refuses({ calmAt: { ...probes.calmAt, causal: unscored } }, /scores what it did not score \(causal\)/)
  const nothing = { batch: probes.calmAt.batch.map(() => null), causal: unscored }
  refuses({ calmAt: nothing }, /does not find an offset/, scoring(() => NaN))
  const asked = (found: number, missed: number): Partial<typeof probes> => ({
    probes: probes.probes.map((probe) => ({ ...probe, found: found * probe.found, missed: missed * probe.missed })),
  })
  refuses(asked(1e-6, 1), /does not find an offset/)
  refuses(asked(1, 1e6), /finds an offset.*which it must not/)
  refuses({}, /scores no observation of normal data \(batch\)/, scoring(() => NaN))
  refuses({}, /finds an anomaly in normal data/, scoring(() => 9))
  refuses({}, /finds nothing in normal data/, scoring(() => 1e-9))
})

t.test('the calmest stretch will do if it is calm enough', async (t) => {
  const nearly = scoring((series, t) => Math.abs(series.values[2 * t]!) > 20 ? 2 : 0.9)
  t.equal(makeProbes(nearly, [SERIES]).calmAt.batch[0], 0.9)
})

t.test('a short series has short probes', async (t) => {
  const short = fromColumns({
    start: 0,
    interval: 1000,
    columns: { x: Array.from({ length: 60 }, (_, i) => Math.sin(i / 3)) },
  })
  const fitted = await fitAdHoc(short)
  const judge = judgeOf(fitted.model, fitted.autoencoders)
  const probes = makeProbes(judge, [short])
  t.doesNotThrow(() => checkProbes(judge, probes))
})

t.test('a check stays within its number of values', async (t) => {
  const wide = waves(400, 12)
  const fitted = await fitAdHoc(wide)
  const judge = judgeOf(fitted.model, fitted.autoencoders)
  const probes = makeProbes(judge, [wide])
  let values = 0
  const counting: Judge = {
    ...judge,
    detect: (scoring, series) => {
      values += series.values.length
      return judge.detect(scoring, series)
    },
  }
  checkProbes(counting, probes)
  t.ok(values > 10_000 && values <= 25_000, `${values} values`)
  t.ok(new Set(probes.probes.map(({ channel }) => channel)).size >= 6, 'most channels are asked about')
})
