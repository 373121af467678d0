// Residuals of rows by a model that has not seen them: four blocks of time, each by what the other rows say.
import type { ChannelEvidence, EvidenceFit, Rows } from '../model.ts'
import { boundForFit, fitOwn, fitRelation, ownResiduals, relationResidual, type Span } from '../prediction.ts'
import { standardise, type ViewResiduals } from '../residuals.ts'
import { countOf, everyIncluded, medianOf } from './included.ts'

const BLOCKS = 4
/** Fewer rows make no blocks. */
const FEWEST_ROWS = 48
/** Fewest rows outside a block to fit a prediction on. */
const FEWEST_OUTSIDE = 24

interface HeldOutOptions {
  readonly rows: Rows
  /** Rows of each channel that count; shape [channels][rows]. */
  readonly included: readonly Uint8Array[]
  readonly causal: boolean
}

/**
 * Replaces residuals by held-out ones. Seasons are held out already: each cycle is compared with the others.
 * @param views residuals of the model that has seen all rows
 * @example
 * const views = { season: [Float64Array.of(1, 2)], own: [null], relation: [null], filled: [] }
 * const rows = rowsOf([fromColumns({ start: 0, interval: 1000, columns: { a: [1, 2] } })])
 * const fit = { channels: [], related: [], raw: { center: [], scale: [] } }
 * heldOutResiduals(fit, views, { rows, included: [], causal: true }).season[0] // [1, 2]
 */
export function heldOutResiduals (fit: EvidenceFit, views: ViewResiduals, options: HeldOutOptions): ViewResiduals {
  const { rows, included, causal } = options
  const length = rows.index.length
  const held: ViewResiduals = {
    season: views.season.map((residuals) => residuals.slice()),
    own: views.own.map((residuals) => residuals && residuals.slice()),
    relation: views.relation.map((residuals) => residuals && residuals.slice()),
    filled: views.filled,
  }
  if (length < FEWEST_ROWS) return held
  const middles = fit.channels.map((channel, c) =>
    hasFixedLevel(channel) ? medianOf(views.season[c]!, included[c]!) : 0
  )
  for (let b = 0; b < BLOCKS; b++) {
    const block = { from: Math.floor(b * length / BLOCKS), to: Math.floor((b + 1) * length / BLOCKS) }
    const outside = included.map((flags) => flags.slice().fill(0, block.from, block.to))
    fit.channels.forEach((channel, c) => {
      const { constant, own } = channel
      if (constant || countOf(outside[c]!) < FEWEST_OUTSIDE) return
      const target = { block, outside: outside[c]! }
      if (hasFixedLevel(channel)) {
        // Residuals from the median of the other blocks.
        const shift = medianOf(views.season[c]!, outside[c]!) - middles[c]!
        for (let t = block.from; t < block.to; t++) held.season[c]![t]! -= shift
      }
      if (own === null) return
      const memory = own.forward.weights.length
      holdOutOwn(held.own[c]!, views.season[c]!, { rows, c, causal, memory, ...target })
    })
    holdOutRelations(held, views.filled, { fit, rows, outside, block })
  }
  return held
}

/** Whether residuals are departures from one median. */
const hasFixedLevel = ({ constant, baseline: { period, level } }: ChannelEvidence): boolean =>
  !constant && period === 1 && level === 0

interface OwnTarget extends Pick<HeldOutOptions, 'rows' | 'causal'> {
  readonly c: number
  readonly block: Span
  /** Included rows outside the block. */
  readonly outside: Uint8Array
  readonly memory: number
}

function holdOutOwn (
  held: Float64Array,
  season: Float64Array,
  { rows, c, causal, memory, block, outside }: OwnTarget
): void {
  const spans: Span[] = []
  for (let s = 0; s + 1 < rows.edges.length; s++) {
    const [from, to] = [rows.edges[s]!, rows.edges[s + 1]!]
    const before = { from, to: Math.min(to, block.from) }
    const after = { from: Math.max(from, block.to), to }
    spans.push(...[before, after].filter((span) => span.to > span.from))
  }
  const fitted = fitOwn(boundForFit(season, outside), outside, { spans, memory })
  for (let s = 0; s + 1 < rows.edges.length; s++) {
    const from = Math.max(rows.edges[s]!, block.from - memory)
    const to = Math.min(rows.edges[s + 1]!, block.to + memory)
    const [first, last] = [Math.max(from, block.from), Math.min(to, block.to)]
    if (last <= first) continue
    const missing = rows.missing[c]!.subarray(from, to)
    const { residuals } = ownResiduals(fitted, season.subarray(from, to), { missing, causal })
    held.set(residuals.subarray(first - from, last - from), first)
  }
}

function holdOutRelations (
  held: ViewResiduals,
  filled: readonly Float64Array[],
  { fit, rows, outside, block }: {
    readonly fit: EvidenceFit
    readonly rows: Rows
    readonly outside: readonly Uint8Array[]
    readonly block: Span
  }
): void {
  const { related, raw, channels } = fit
  if (!related.some((c) => channels[c]!.relation !== null)) return
  const every = everyIncluded(related.map((c) => outside[c]!))
  every.fill(0, block.from, block.to)
  if (countOf(every) <= 2 * related.length) return
  for (const isRaw of [false, true]) {
    if (!related.some((c) => channels[c]!.relation?.raw === isRaw)) continue
    const columns = related.map((c, j) => isRaw
      ? rows.columns[c]!.map((value) => standardise(value, raw.center[j]!, raw.scale[j]!))
      : filled[c]!)
    const predictions = fitRelation(columns.map((column, j) => boundForFit(column, outside[related[j]!]!)), every)
    const row = new Float64Array(related.length)
    for (let t = block.from; t < block.to; t++) {
      for (let j = 0; j < row.length; j++) row[j] = columns[j]![t]!
      related.forEach((c, j) => {
        const { relation } = channels[c]!
        if (relation?.raw === isRaw) held.relation[c]![t] = relationResidual(predictions[j]!, row, j) * relation.factor
      })
    }
  }
}
