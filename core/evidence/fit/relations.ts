// What channels tell about each other, from normal rows.
import { countOf, everyIncluded, LEAST_SHARE, medianOfAll, spreadOf } from './included.ts'
import type { Baseline, ChannelEvidence, Prediction, Rows } from '../model.ts'
import { boundForFit, fitRelation } from '../prediction.ts'
import { standardise } from '../residuals.ts'

/** The relation of values is preferred to that of residuals up to this factor. */
const RAW_HANDICAP = 1.1

/** A channel with its baseline. */
interface Related {
  readonly baseline: Baseline
  /** 1 for each row that counts. */
  readonly included: Uint8Array
}

/** Thresholds that are not known yet. */
export const OPEN = { point: Infinity, mean: [], power: [] }

/**
 * Channels to compare with each other: none if there are too few rows for so many.
 * @example
 * relatedOf([{ live: true }, { live: false }, { live: true }], { index: new Float64Array(12) }) // [0, 2]
 */
export function relatedOf (
  drafts: ReadonlyArray<{ readonly live: boolean }>,
  { index }: Pick<Rows, 'index'>
): number[] {
  const live = drafts.flatMap(({ live }, c) => live ? [c] : [])
  return live.length > 1 && live.length < index.length / 4 ? live : []
}

/**
 * For each related channel the prediction that leaves less: from the others' values, or from their residuals.
 * @param bounded residuals from the baselines, bounded; shape [channels][rows]
 * @param raw centre and spread of the related channels' values
 * @returns by channel; without thresholds
 * @example
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a: [1] } })])
 * fitRelations(rows, [], { related: [], bounded: [], raw: [] }).size // 0
 */
export function fitRelations (
  rows: Rows,
  drafts: readonly Related[],
  { related, bounded, raw }: {
    readonly related: readonly number[]
    readonly bounded: readonly Float64Array[]
    readonly raw: ReadonlyArray<{ readonly center: number, readonly scale: number }>
  }
): Map<number, NonNullable<ChannelEvidence['relation']>> {
  const found = new Map<number, NonNullable<ChannelEvidence['relation']>>()
  if (related.length === 0) return found
  const every = everyIncluded(related.map((c) => drafts[c]!.included))
  const ofResiduals = fitRelation(related.map((c) => bounded[c]!), every)
  const seasonal = related.some((c) => drafts[c]!.baseline.period > 1)
  const values = related.map((c, j) => boundForFit(
    rows.columns[c]!.map((value) => standardise(value, raw[j]!.center, raw[j]!.scale)),
    drafts[c]!.included
  ))
  const ofValues = seasonal ? fitRelation(values, every) : undefined
  related.forEach((c, j) => {
    const { baseline: { scale }, included } = drafts[c]!
    const factor = raw[j]!.scale / medianOfAll(Float64Array.from(scale))
    const spread = (prediction: Prediction, columns: readonly Float64Array[]): number =>
      spreadOf(residualsIn(prediction, columns, j), included)
    const isRaw = ofValues !== undefined &&
      spread(ofValues[j]!, values) * factor < RAW_HANDICAP * spread(ofResiduals[j]!, related.map((k) => bounded[k]!))
    const prediction = isRaw ? ofValues[j]! : ofResiduals[j]!
    found.set(c, { prediction, raw: isRaw, factor: isRaw ? factor : 1, thresholds: OPEN })
  })
  return found
}

function residualsIn ({ offset, weights }: Prediction, columns: readonly Float64Array[], j: number): Float64Array {
  const residuals = columns[j]!.map((value) => value - offset)
  columns.forEach((column, k) => {
    for (let t = 0; t < residuals.length; t++) residuals[t]! -= weights[k]! * column[t]!
  })
  return residuals
}

/**
 * Of each channel the rows that count and in which no related channel is missing; if these are few, all that count.
 * @returns 1 for each such row, shape [channels][rows]
 * @example
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2], b: [1, NaN] } })])
 * const included = [Uint8Array.of(1, 1), Uint8Array.of(1, 0)]
 * completeRows(rows, [0, 1], included.map((included) => ({ included })))[0] // [1, 0]
 */
export function completeRows (
  { missing, index }: Rows,
  related: readonly number[],
  drafts: ReadonlyArray<Pick<Related, 'included'>>
): Uint8Array[] {
  const complete = new Uint8Array(index.length).fill(1)
  for (const c of related) for (let t = 0; t < complete.length; t++) if (missing[c]![t] === 1) complete[t] = 0
  return drafts.map(({ included }) => {
    const both = included.map((flag, t) => flag & complete[t]!)
    return countOf(both) < LEAST_SHARE * countOf(included) ? included : both
  })
}
