// Smooth curves, and what is none.
import t from 'tap'
import { createRandom } from '../../../random.ts'
import { fromColumns } from '../../../series/series.ts'
import { evidenceWithHindsight } from '../../hindsight.ts'
import type { Baseline, Rows } from '../../model.ts'
import { rowsOf } from '../../rows.ts'
import { isCurve } from '../curve.ts'
import { type EvidenceOptions, fitEvidence } from '../fit.ts'
import { suspectsOf } from '../robust.ts'

type Course = (share: number, noise: number) => number

/** From shares of the time that has passed. */
const CURVES: Readonly<Record<string, Course>> = {
  'a ramp': (share, noise) => 100 * share + noise,
  growth: (share, noise) => Math.exp(3 * share) + noise / 5,
  'growth in proportion': (share, noise) => Math.exp(5 * share) * (1 + noise / 50),
  'a square': (share, noise) => 100 * share ** 2 + noise,
  decay: (share, noise) => 100 * Math.exp(-4 * share) + noise,
  saturation: (share, noise) => 100 / (1 + Math.exp(5 - 10 * share)) + noise,
  'a hump': (share, noise) => 60 * Math.sin(Math.PI * share) + noise,
}

const OTHERS: Readonly<Record<string, Course>> = {
  noise: (_, noise) => noise,
  'a wave': (share, noise) => 30 * Math.sin(20 * share) + noise,
  'a step': (share, noise) => (share < 0.6 ? 0 : 50) + noise,
  'a level for a while': (share, noise) => (share > 0.5 && share < 0.7 ? 500 : 0) + noise,
  'a constant': () => 5,
}

function rowsFrom (course: Course, seed: string, rows = 1000): Rows {
  const { normal } = createRandom(seed)
  const a = Array.from({ length: rows }, (_, t) => course(t / rows, normal()))
  return rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a } })])
}

const isCurved = ({ columns: [a] }: Rows): boolean => isCurve(a!, new Uint8Array(a!.length).fill(1))

t.test('growth, ramps, decay and humps are curves; noise, waves and steps are none', async (t) => {
  for (const [name, course] of Object.entries(CURVES)) t.ok(isCurved(rowsFrom(course, name)), name)
  for (const [name, course] of Object.entries(OTHERS)) t.notOk(isCurved(rowsFrom(course, name)), name)
  const { normal } = createRandom('walks')
  let walks = 0
  for (let i = 0; i < 50; i++) {
    let at = 0
    if (isCurved(rowsFrom(() => (at += normal()), 'walk'))) walks++
  }
  t.ok(walks <= 5, `${walks} of 50 walks`)
})

/** What a fit on the rows themselves finds in them. */
function foundIn (rows: Rows): { ratio: Float64Array, baseline: Baseline } {
  const options: EvidenceOptions = { causal: false, leftOut: 0, robust: true, anyPeriod: true }
  const { fit, residuals } = fitEvidence(rows, suspectsOf(rows), options)
  return { ratio: evidenceWithHindsight(fit, rows, residuals)[0]!.ratio, baseline: fit.channels[0]!.baseline }
}

t.test('a curve is no anomaly; a spike and a level on it are', async (t) => {
  for (const [name, course] of Object.entries(CURVES)) {
    const plain = foundIn(rowsFrom(course, name))
    t.equal(plain.ratio.filter((ratio) => ratio > 1).length, 0, name)
    const size = name.startsWith('growth') ? 4 : 12
    const spiked = rowsFrom(course, name)
    spiked.columns[0]![600]! += size
    const { ratio } = foundIn(spiked)
    t.ok(ratio[600]! > 1, `a spike on ${name}`)
    const raised = rowsFrom(course, name)
    for (let i = 600; i < 640; i++) raised.columns[0]![i]! += size
    t.ok(foundIn(raised).ratio.subarray(600, 640).some((ratio) => ratio > 1), `a level on ${name}`)
  }
})

t.test('a short window is chosen for a curve that bends fast, and a level in proportion if noise grows', async (t) => {
  const fast = foundIn(rowsFrom((share, noise) => Math.exp(9 * share) + noise, 'fast')).baseline
  t.ok(fast.curved === true && fast.level > 0 && fast.level <= 61, `${fast.level}`)
  const short = foundIn(rowsFrom((share, noise) => 50 * share ** 3 + noise / 20, 'short', 100)).baseline
  t.match(short, { curved: true, level: 25 }, 'also of few rows, which have no other level')
  t.match(foundIn(rowsFrom(CURVES['growth in proportion']!, 'even')).baseline, { curved: true, multiplicative: true })
  t.equal(foundIn(rowsFrom(OTHERS['a wave']!, 'wave')).baseline.curved, undefined)
  const options: EvidenceOptions = { causal: false, leftOut: 0, robust: false, anyPeriod: true }
  const named = fitEvidence(rowsFrom(CURVES['growth']!, 'named'), [new Uint8Array(1000)], options)
  t.equal(named.fit.channels[0]!.baseline.curved, undefined, 'a training part tells no curve of later rows')
})
