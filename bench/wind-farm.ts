// The shipped settings on farms of other seeds than those that they were chosen on:
// `npm run bench:wind-farm -- --seeds a,b,c`.
import { Command } from 'commander'
import { quantile } from '../core/quantile.ts'
import { findAnomalies } from '../core/verdicts/anomalies.ts'
import { detectCausal } from '../core/detector/detector.ts'
import { parseDuration } from '../core/table/duration.ts'
import { fitDetector } from '../core/fitting/fit.ts'
import { detectBatch } from '../core/detector/hindsight.ts'
import { detectionDelays, type TimeInterval } from '../core/metrics/index.ts'
import { slice, timeOf } from '../core/series/series.ts'
import { loadBackend } from '../adapters/tfjs/backend.ts'
import { simulateFarm, WIND_FARM_DEFAULTS } from '../simulator/simulate.ts'
import { membersOf, toFit } from '../model-creation/stages/members.ts'
import { readParams } from '../model-creation/settings/params.ts'
import { FARM_PARAMS } from '../model-creation/settings/paths.ts'

const SCORINGS = { batch: detectBatch, causal: detectCausal } as const
const WEEK = 604_800_000
const HOUR = 3_600_000

const { seeds } = new Command('npm run bench:wind-farm --')
  .option('--seeds <list>', 'seeds of the simulator, separated by commas', 'report-1,report-2,report-3,report-4')
  .parse().opts<{ seeds: string }>()

const { train, evaluate } = await readParams(FARM_PARAMS)
const backend = await loadBackend(train.backend)

/** Intersection over union of two intervals whose ends belong to them. */
function iouOf (a: TimeInterval, b: TimeInterval, interval: number): number {
  const common = Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start) + interval)
  return common / (a.end - a.start + b.end - b.start + 2 * interval - common)
}

interface Tally {
  delays: Record<string, number[]>
  found: Record<string, number>
  labels: Record<string, number>
  /** Of each label with the anomaly that fits it best; 0 if missed. */
  overlaps: number[]
  falseAnomalies: number
  weeks: number
}

const tallies: Record<keyof typeof SCORINGS, Tally> = {
  batch: { delays: {}, found: {}, labels: {}, overlaps: [], falseAnomalies: 0, weeks: 0 },
  causal: { delays: {}, found: {}, labels: {}, overlaps: [], falseAnomalies: 0, weeks: 0 },
}

for (const farmSeed of seeds.split(',')) {
  const farm = simulateFarm({ seed: farmSeed })
  const split = (WIND_FARM_DEFAULTS.trainingDays * 86_400_000) / farm.turbines[0]!.series.interval
  const training = farm.turbines.map(({ series }) => slice(series, 0, split))
  const { model, autoencoders } = await fitDetector(
    training,
    train,
    toFit(membersOf(train, training), train, { backend, seed: train.seed, onEpoch: () => {} })
  )
  for (const scoring of ['batch', 'causal'] as const) {
    const tally = tallies[scoring]
    for (const { name, series } of farm.turbines) {
      const test = slice(series, split, series.length)
      const anomalies = findAnomalies(SCORINGS[scoring](model, autoencoders, test)).map(({ from, to }) => ({
        start: timeOf(test, from),
        end: timeOf(test, to),
      }))
      const { findings, falseAnomalies } = detectionDelays(
        farm.labels.filter(({ turbine }) => turbine === name),
        anomalies,
        { toleranceMs: parseDuration(evaluate.tolerance) }
      )
      for (const { label, found, delayMs } of findings) {
        const { fault } = label
        tally.overlaps.push(Math.max(0, ...anomalies.map((anomaly) => iouOf(label, anomaly, test.interval))))
        if (delayMs !== null) (tally.delays[fault] ??= []).push(delayMs / HOUR)
        tally.labels[fault] = (tally.labels[fault] ?? 0) + 1
        tally.found[fault] = (tally.found[fault] ?? 0) + (found ? 1 : 0)
      }
      tally.falseAnomalies += falseAnomalies.length
      tally.weeks += test.length * test.interval / WEEK
    }
  }
  for (const autoencoder of autoencoders) autoencoder.dispose()
}

for (const [scoring, { delays, found, labels, overlaps, falseAnomalies, weeks }] of Object.entries(tallies)) {
  const faults = Object.keys(labels).sort().map((fault) =>
    `${fault} ${found[fault]}/${labels[fault]} after ${quantile(delays[fault] ?? [], 0.5).toFixed(1)} h`
  )
  const iou = overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length
  console.log(
    `${scoring}: ${(falseAnomalies / weeks).toFixed(2)} false anomalies per turbine-week; ` +
      `IoU of intervals ${iou.toFixed(2)}; ${faults.join(', ')}`
  )
}
