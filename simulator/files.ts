// The farm as the texts of its files: one table per turbine, the labels, and a README. Knows no disk.
import { createRandom } from '../core/random.ts'
import { CHANNELS, CHANNEL_DECIMALS } from './channels.ts'
import { addDirt, type Row } from './dirt.ts'
import { simulateFarm, WIND_FARM_DEFAULTS, type FaultLabel, type WindFarmOptions } from './simulate.ts'

/** Path, relative and with `/`, → text. */
export type FarmFiles = ReadonlyMap<string, string>

/** ISO 8601 in UTC to the second, with Z. */
function isoSeconds (time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

function turbineTable (rows: readonly Row[]): string {
  const decimals = CHANNELS.map((channel) => CHANNEL_DECIMALS[channel])
  const lines = rows.map(({ time, values }) => {
    const fields = decimals.map((digits, c) => Number.isNaN(values[c]) ? '' : values[c]!.toFixed(digits))
    return `${isoSeconds(time)},${fields.join(',')}`
  })
  return `${['timestamp', ...CHANNELS].join(',')}\n${lines.join('\n')}\n`
}

function labelTable (labels: readonly FaultLabel[]): string {
  const lines = labels.map(({ turbine, fault, channel, start, end }) =>
    [turbine, fault, channel, isoSeconds(start), isoSeconds(end)].join(',')
  )
  return `${['turbine,fault,channel,start,end', ...lines].join('\n')}\n`
}

function readme ({ seed, turbines, days, trainingDays, start }: WindFarmOptions): string {
  const from = isoSeconds(start)
  const units = 'ms = m/s, kw, rpm, deg, c = °C, mm_s = mm/s RMS'
  const grid = 'times stray up to a minute from the grid of ten minutes (round them to it)'
  const labels = '`confirmed`, `missed`, `false-alarm`; an empty series: all'
  return `# Simulated wind farm

${turbines} wind turbines of 2.05 MW over ${days} days from ${from}, \
as ten-minute means of a SCADA historian. The data are simulated: no
real turbine was recorded. The first ${trainingDays} days are free of faults; the faults after them are labelled.

- \`turbines/T01.csv\` …: \`timestamp\` (ISO 8601, UTC) and ${CHANNELS.length} channels; \
the unit ends each name (${units}).
  An empty field is a missing value. As in real exports, ${grid},
  rows are absent, repeated or late.
- \`labels.csv\`: \`turbine,fault,channel,start,end\`; \`channel\` shows the fault first, \`end\` is inclusive.
- \`feedback.csv\`: \`series,start,end,label\`, what people said of intervals (${labels}). Nothing yet.

Curtailment, stops, cut-outs in storms and calms are normal operation and have no label.

Made by \`npm run data\` from the seed \`${seed}\`; the same seed gives the same bytes on every machine.
Licence: Apache-2.0.
`
}

/** All files of a farm, with dirt; equal options give equal texts. */
export function farmFiles (options: Partial<WindFarmOptions> = {}): FarmFiles {
  const settings = { ...WIND_FARM_DEFAULTS, ...options }
  const farm = simulateFarm(settings)
  const random = createRandom(settings.seed).fork('dirt')
  return new Map([
    ['README.md', readme(settings)],
    ['labels.csv', labelTable(farm.labels)],
    ['feedback.csv', 'series,start,end,label\n'],
    ...farm.turbines.map(({ name, series }) =>
      [`turbines/${name}.csv`, turbineTable(addDirt(series, random.fork(name)))] as const
    ),
  ])
}
