// Compares scores relative to the threshold with scores relative to the level around them, on farms that age:
// `npm run bench:drift -- --seeds a,b`.
import { Command } from 'commander'
import { findAnomalies } from '../core/verdicts/anomalies.ts'
import { type DetectorModel } from '../core/detector/model.ts'
import { detectCausal } from '../core/detector/detector.ts'
import { parseDuration } from '../core/table/duration.ts'
import { fitDetector } from '../core/fitting/fit.ts'
import { detectBatch } from '../core/detector/hindsight.ts'
import { withoutAdaptation } from '../core/detector/model.ts'
import { detectionDelays } from '../core/metrics/index.ts'
import { slice, timeOf } from '../core/series/series.ts'
import { loadBackend } from '../adapters/tfjs/backend.ts'
import { simulateFarm, WIND_FARM_DEFAULTS } from '../simulator/simulate.ts'
import { membersOf, toFit } from '../model-creation/stages/members.ts'
import { readParams } from '../model-creation/settings/params.ts'
import { FARM_PARAMS } from '../model-creation/settings/paths.ts'

const WEEK = 604_800_000
const SCORINGS = { causal: detectCausal, batch: detectBatch } as const
const RULES: Record<string, (model: DetectorModel) => DetectorModel> = {
  threshold: withoutAdaptation,
  level: (model) => model,
}

const flags = new Command('npm run bench:drift --')
  .option('--seeds <list>', 'seeds of the simulator, separated by commas', 'report-1,report-2,report-3,report-4')
  .option('--ageing <list>', '°C by which aged bearings are warmer at the end', '0,4,8')
  .parse().opts<{ seeds: string, ageing: string }>()

const { train, evaluate } = await readParams(FARM_PARAMS)
const backend = await loadBackend(train.backend)
const toleranceMs = parseDuration(evaluate.tolerance)

for (const ageing of flags.ageing.split(',').map(Number)) {
  const tallies: Record<string, { found: number, labels: number, falseAnomalies: number, weeks: number }> = {}
  for (const farmSeed of flags.seeds.split(',')) {
    const farm = simulateFarm({ seed: farmSeed, ageing })
    const split = (WIND_FARM_DEFAULTS.trainingDays * 86_400_000) / farm.turbines[0]!.series.interval
    const training = farm.turbines.map(({ series }) => slice(series, 0, split))
    const { model, autoencoders } = await fitDetector(
      training,
      train,
      toFit(membersOf(train, training), train, { backend, seed: train.seed, onEpoch: () => {} })
    )
    for (const [scoring, detect] of Object.entries(SCORINGS)) {
      for (const [rule, apply] of Object.entries(RULES)) {
        for (const { name, series } of farm.turbines) {
          const test = slice(series, split, series.length)
          const anomalies = findAnomalies(detect(apply(model), autoencoders, test)).map(({ from, to }) => ({
            start: timeOf(test, from),
            end: timeOf(test, to),
          }))
          const { findings, falseAnomalies } = detectionDelays(
            farm.labels.filter(({ turbine }) => turbine === name),
            anomalies,
            { toleranceMs }
          )
          const tally = tallies[`${scoring}, ${rule}`] ??= { found: 0, labels: 0, falseAnomalies: 0, weeks: 0 }
          tally.found += findings.filter(({ found }) => found).length
          tally.labels += findings.length
          tally.falseAnomalies += falseAnomalies.length
          tally.weeks += test.length * test.interval / WEEK
        }
      }
    }
    for (const autoencoder of autoencoders) autoencoder.dispose()
  }
  for (const [name, { found, labels, falseAnomalies, weeks }] of Object.entries(tallies)) {
    const rate = (falseAnomalies / weeks).toFixed(2)
    console.log(
      `ageing ${ageing} °C, ${name}: ${found}/${labels} found, ${rate} false anomalies per turbine-week`
    )
  }
}
