// Events that a person sees at once: each is found, whole, in few rows, and blamed on the channel that it is in.
import t from 'tap'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { createRandom } from '../../random.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { type ExplainedAnomaly, explainAnomalies } from '../../verdicts/explanation.ts'
import { detectBatch } from '../hindsight.ts'

async function anomaliesOf (columns: Record<string, number[]>): Promise<ExplainedAnomaly[]> {
  const series: Series = fromColumns({ start: Date.UTC(2026, 0, 5), interval: 60_000, columns })
  const { model, autoencoders } = await fitAdHoc(series, { scoring: 'batch' })
  return explainAnomalies(series, detectBatch(model, autoencoders, series), model, { scoring: 'batch' })
}

/** Noise of deviation 1, and what `change` makes of it. */
function noise (seed: string, length: number, change = (value: number, _t: number): number => value): number[] {
  const random = createRandom(seed)
  return Array.from({ length }, (_, t) => change(20 + random.normal(), t))
}

t.test('a spike of 10 σ is found in 12 and in 16 rows, and nothing else is', async (t) => {
  for (const length of [12, 16]) {
    const flow = noise('few rows', length, (value, t) => t === 7 ? value + 10 : value)
    t.same((await anomaliesOf({ flow })).map(({ from, to, kind }) => [from, to, kind]), [[7, 7, 'spike']], `${length}`)
  }
})

t.test('a level of 12 σ over 30 rows is one anomaly of about 30 rows', async (t) => {
  const flow = noise('level', 1000, (value, t) => t >= 700 && t < 730 ? value + 12 : value)
  const [found, ...others] = await anomaliesOf({ flow })
  t.same(others, [])
  t.equal(found!.kind, 'level')
  t.ok(Math.abs(found!.from - 700) <= 4 && Math.abs(found!.to - 729) <= 4, `${found!.from} to ${found!.to}`)
})

t.test('of two related channels, the one that jumps is named first', async (t) => {
  const random = createRandom('related')
  for (const jumping of ['power', 'flow']) {
    const flow = noise('related flow', 1000)
    const power = flow.map((value) => 3 * value + 0.2 * random.normal())
    const columns = { flow, power }
    for (let t = 600; t < 620; t++) columns[jumping as 'flow' | 'power'][t]! += jumping === 'flow' ? 8 : 24
    const found = (await anomaliesOf(columns)).find(({ from, to }) => from <= 610 && to >= 610)!
    t.equal(Object.keys(columns)[found.channels[0]!.channel], jumping)
  }
})

t.test('a channel that switches between two values tells what is no such value, but no switch', async (t) => {
  const valve = Array.from({ length: 600 }, (_, t) => Math.floor(t / 50) % 2)
  t.same(await anomaliesOf({ valve }), [])
  const [found, ...others] = await anomaliesOf({ valve: valve.map((value, t) => t === 420 ? 60 : value) })
  t.ok(found!.from <= 420 && found!.to >= 420 && found!.peakScore > 2, `${found!.from} to ${found!.to}`)
  t.same(others, [])
})

t.test('a constant channel that departs once is told; one that departs again and again is not', async (t) => {
  const constant = (places: number[]): number[] => Array.from({ length: 1000 }, (_, t) => places.includes(t) ? 9 : 7)
  const flow = noise('beside', 1000)
  t.same((await anomaliesOf({ flow, setting: constant([500]) })).map(({ from, to }) => [from, to]), [[500, 500]])
  t.same(await anomaliesOf({ flow, setting: constant([100, 250, 400, 550, 700, 850]) }), [])
})
