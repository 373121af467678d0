// Missing values are no evidence, and tell nothing wrong about the values around them.
import t from 'tap'
import { createRandom } from '../../random.ts'
import { fromColumns, type Series } from '../../series/series.ts'
import { fitEvidence } from '../fit/fit.ts'
import { evidenceWithHindsight } from '../hindsight.ts'
import { emptyRatios, type EvidenceFit, type Rows } from '../model.ts'
import { rowsOf } from '../rows.ts'
import { EvidenceStream } from '../stream.ts'

const ROWS = 3000

/** Two channels that wander together, far from their median most of the time. */
function wandering (seed: string): { a: number[], b: number[] } {
  const random = createRandom(seed)
  let common = 0
  const a: number[] = []
  const b: number[] = []
  for (let i = 0; i < ROWS; i++) {
    common = 0.995 * common + random.normal() / 10
    a.push(50 + 10 * common + random.normal() / 10)
    b.push(20 + 4 * common + random.normal() / 25)
  }
  return { a, b }
}

/** Gaps of one to three rows, one in every fifty, in one channel or the other. */
function withGaps ({ a, b }: { readonly a: readonly number[], readonly b: readonly number[] }): Series {
  const columns = { a: [...a], b: [...b] }
  for (let i = 30; i < ROWS; i += 50) columns[i % 100 === 30 ? 'a' : 'b'].fill(NaN, i, i + 1 + i % 3)
  return fromColumns({ start: 0, interval: 1000, columns })
}

function strongestOf (fit: EvidenceFit, rows: Rows, causal: boolean): number[] {
  if (!causal) {
    const found = evidenceWithHindsight(fit, rows)
    return Array.from(rows.index, (_, i) => Math.max(...found.map(({ ratio }) => ratio[i]!)))
  }
  const stream = new EvidenceStream(fit)
  const out = emptyRatios(2)
  // A stream holds the last value in a gap.
  const held = rows.columns.map((column) => column[0]!)
  return Array.from(rows.index, (index, i) => {
    rows.columns.forEach((column, c) => { if (rows.missing[c]![i] === 0) held[c] = column[i]! })
    stream.next({ index, values: held, missing: rows.missing.map((flags) => flags[i]!) }, out)
    return Math.max(...out.ratio)
  })
}

t.test('gaps in wandering channels are no evidence, and hide no spike', async (t) => {
  for (const causal of [false, true]) {
    const name = causal ? 'causal' : 'with hindsight'
    const options = { causal, leftOut: 0, robust: false, anyPeriod: true }
    const training = rowsOf([fromColumns({ start: 0, interval: 1000, columns: wandering('training') })])
    const { fit } = fitEvidence(training, training.columns.map((column) => new Uint8Array(column.length)), options)
    t.ok(fit.channels.every(({ own, relation }) => own !== null && relation !== null), 'all views count')
    const test = wandering('test')
    t.same(strongestOf(fit, rowsOf([withGaps(test)]), causal).filter((ratio) => ratio > 1), [], `${name}: no evidence`)
    test.a[1535]! += 3
    const strongest = strongestOf(fit, rowsOf([withGaps(test)]), causal)
    t.ok(strongest[1535]! > 1, `${name}: a spike soon after a gap is found`)
  }
})

t.test('a fit on gaps has the thresholds of one without, about', async (t) => {
  for (const causal of [false, true]) {
    const options = { causal, leftOut: 0, robust: false, anyPeriod: true }
    const plain = rowsOf([fromColumns({ start: 0, interval: 1000, columns: wandering('training') })])
    const gaps = rowsOf([withGaps(wandering('training'))])
    const [without, with_] = [plain, gaps].map((rows) =>
      fitEvidence(rows, rows.columns.map((column) => new Uint8Array(column.length)), options).fit.channels
    )
    without!.forEach(({ own }, c) => {
      const ratio = with_![c]!.own!.thresholds.point / own!.thresholds.point
      t.ok(ratio > 0.7 && ratio < 1.4, `own prediction: ${ratio}`)
    })
  }
})
