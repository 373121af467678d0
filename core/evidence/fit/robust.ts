// A fit on rows that may hold anomalies: what a first fit finds is left out of the second.
import { type EvidenceOptions, fitEvidence } from './fit.ts'
import { countOf } from './included.ts'
import { evidenceWithHindsight } from '../hindsight.ts'
import type { Rows } from '../model.ts'
import { runsWhere } from '../../series/runs.ts'

/** Blocks of 8 that the first round leaves out of every tail. */
const LEFT_OUT = 2
/** An anomaly is left out with its surroundings: this share of its length on both sides, at least LEAST_MARGIN rows. */
const MARGIN_SHARE = 0.25
const LEAST_MARGIN = 2
/** A series shorter than twice this spares fewer rows. */
const ROWS_OF_MARGIN = 24
/** A channel of which more than this share stands out has no anomalies: it is just so. */
const MOST_LEFT_OUT = 0.3

/**
 * Values that a robust fit leaves out: those that its first round finds anomalous.
 * @returns 1 for each such value, shape [channels][rows]
 * @example
 * const a = Array.from({ length: 200 }, (_, t) => t === 150 ? 90 : Math.sin(t * t))
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a } })])
 * suspectsOf(rows)[0].slice(146, 154) // [0, 0, 1, 1, 1, 1, 1, 0]
 */
export function suspectsOf (rows: Rows): Uint8Array[] {
  const none = rows.columns.map((column) => new Uint8Array(column.length))
  const options: EvidenceOptions = { causal: false, leftOut: LEFT_OUT, robust: true, anyPeriod: true }
  const { fit, residuals } = fitEvidence(rows, none, options)
  const least = Math.min(LEAST_MARGIN, Math.floor(rows.index.length / ROWS_OF_MARGIN))
  return evidenceWithHindsight(fit, rows, residuals).map(({ ratio }, c) => {
    const suspects = none[c]!
    for (const { from, to } of runsWhere(ratio.length, (t) => ratio[t]! > 1)) {
      const margin = Math.max(least, Math.floor((to - from + 1) * MARGIN_SHARE))
      suspects.fill(1, Math.max(0, from - margin), to + 1 + margin)
    }
    return countOf(suspects) > MOST_LEFT_OUT * suspects.length ? suspects.fill(0) : suspects
  })
}
