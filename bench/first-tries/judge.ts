// Compares the intervals that a detector found with the labels of a case, and sums up over cases. Knows no detector.
import { type Label } from './kinds/draw.ts'

/** Rows, both ends included. */
interface Rows {
  readonly from: number
  readonly to: number
}

/** What a detector found: its channels are names, the most to blame first. */
interface Finding extends Rows {
  readonly channels: readonly string[]
}

/** How one label was found. */
interface LabelOutcome {
  readonly found: boolean
  /** Intersection over union with the interval that fits best; 0 if missed. */
  readonly iou: number
  /** Rows of all intervals that find it ÷ its own; NaN if missed. */
  readonly width: number
  /** Whether an interval that finds it names one of its channels first. */
  readonly blamed: boolean
}

/** How one case was found. */
export interface Outcome {
  readonly labels: readonly LabelOutcome[]
  /** Intervals that find no label. */
  readonly stray: number
  /** Whether every label is found and nothing is stray. */
  readonly clean: boolean
  readonly rows: number
  /** Rows that lie in any interval. */
  readonly flagged: number
  /** With a single channel there is nobody else to blame. */
  readonly severalChannels: boolean
  /** Why the series could not be scored, if so: then it is not clean. */
  readonly refused?: string
}

/** The sums over cases; shares in percent, NaN if there is nothing to count. */
export interface Summary {
  readonly cases: number
  /** Share of the labels that an interval finds. */
  readonly found: number
  /** Stray intervals per case. */
  readonly stray: number
  readonly clean: number
  /** Mean over the labels. */
  readonly iou: number
  /** Median over the found labels, the lower one of two. */
  readonly width: number
  /** Share of the labels in several channels whose first named channel is right. */
  readonly blamed: number
  readonly refused: number
}

/** An interval may miss a label by this share of the label's length, or by so many rows. */
const TOLERATED_SHARE = 0.25
const TOLERATED_ROWS = 2

const lengthOf = ({ from, to }: Rows): number => to - from + 1

const common = (a: Rows, b: Rows): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from) + 1)

function finds (label: Rows, finding: Rows): boolean {
  const tolerance = Math.max(TOLERATED_ROWS, Math.round(TOLERATED_SHARE * lengthOf(label)))
  return common({ from: label.from - tolerance, to: label.to + tolerance }, finding) > 0
}

function iouOf (label: Rows, finding: Rows): number {
  const both = common(label, finding)
  return both / (lengthOf(label) + lengthOf(finding) - both)
}

function labelOutcome (label: Label, findings: readonly Finding[]): LabelOutcome {
  const hits = findings.filter((finding) => finds(label, finding))
  return {
    found: hits.length > 0,
    iou: Math.max(0, ...hits.map((hit) => iouOf(label, hit))),
    width: hits.length === 0 ? NaN : hits.reduce((sum, hit) => sum + lengthOf(hit), 0) / lengthOf(label),
    blamed: hits.some(({ channels }) => label.channels.includes(channels[0]!)),
  }
}

/** What was tried: the shape of a case and its labels. */
interface Tried {
  readonly labels: readonly Label[]
  readonly series: { readonly length: number, readonly channels: readonly string[] }
}

/** @param findings in any order; `refused` tells why there are none because the series was not scored */
export function judgeCase ({ labels, series }: Tried, findings: readonly Finding[], refused?: string): Outcome {
  const outcomes = labels.map((label) => labelOutcome(label, findings))
  const stray = findings.filter((finding) => !labels.some((label) => finds(label, finding))).length
  const flagged = new Set(findings.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)))
  return {
    labels: outcomes,
    stray,
    clean: stray === 0 && refused === undefined && outcomes.every(({ found }) => found),
    rows: series.length,
    flagged: flagged.size,
    severalChannels: series.channels.length > 1,
    ...(refused !== undefined && { refused }),
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const percent = (flags: readonly boolean[]): number => 100 * mean(flags.map(Number))

export function summarise (outcomes: readonly Outcome[]): Summary {
  const labels = outcomes.flatMap((outcome) => outcome.labels)
  const widths = labels.map(({ width }) => width).filter((width) => !Number.isNaN(width)).sort((a, b) => a - b)
  const toBlame = outcomes.filter(({ severalChannels }) => severalChannels).flatMap((outcome) => outcome.labels)
  return {
    cases: outcomes.length,
    found: percent(labels.map(({ found }) => found)),
    stray: mean(outcomes.map(({ stray }) => stray)),
    clean: percent(outcomes.map(({ clean }) => clean)),
    iou: mean(labels.map(({ iou }) => iou)),
    width: widths[(widths.length - 1) >> 1] ?? NaN,
    blamed: percent(toBlame.map(({ blamed }) => blamed)),
    refused: outcomes.filter(({ refused }) => refused !== undefined).length,
  }
}

/** Over the cases without a label: stray intervals, and rows in them, per 1,000 rows. */
export function falseAlarms (outcomes: readonly Outcome[]): { readonly intervals: number, readonly rows: number } {
  const healthy = outcomes.filter(({ labels }) => labels.length === 0)
  const sum = (value: (outcome: Outcome) => number): number => healthy.reduce((total, one) => total + value(one), 0)
  const rows = sum((outcome) => outcome.rows) / 1000
  return { intervals: sum(({ stray }) => stray) / rows, rows: sum(({ flagged }) => flagged) / rows }
}
