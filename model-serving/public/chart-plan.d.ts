// Types of chart-plan.js for TypeScript importers, which read no JavaScript.
import type { Plan, Plot } from './types.d.ts'

export { type Answer, type Layout, type Palette, type Panel, type Plan, type Plot, type Point } from './types.d.ts'

export function planOf (plot: Plot): Plan

/** A number in three significant digits. */
export function formatNumber (value: number): string

/** What the legend calls the parts that every panel shares. */
export const PARTS: {
  readonly observed: string,
  readonly expected: string,
  readonly band: string,
  readonly imputed: string,
  readonly anomaly: string,
  readonly score: string,
}
