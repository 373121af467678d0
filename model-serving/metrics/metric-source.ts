// How a metric is declared: its name, its labels, and where its values come from.

/** Labels and the value that belongs to them. */
export type LabelledValue = readonly [labels: Readonly<Record<string, string>>, value: number]

/** A counter or gauge whose values are read when Prometheus asks for them. */
export interface MetricSource {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  values (): readonly LabelledValue[]
}

export const single = (value: () => number) => (): readonly LabelledValue[] => [[{}, value()]]
