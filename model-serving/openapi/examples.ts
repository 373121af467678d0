// Named examples of POST /compute, from the simulated wind farm. Posted unchanged to the model that the pipeline
// trains, they give what their names say.
import { formatDuration } from '../../core/table/duration.ts'
import { channelValues, type Series, slice, timeOf } from '../../core/series/series.ts'
import { simulateFarm } from '../../simulator/simulate.ts'
import { formatInstant } from '../compute/read/times.ts'
import type { NamedExample } from '../schemas/content.ts'

/** Model of the examples. A service without it refuses them. */
export const EXAMPLE_MODEL = 'wind-turbine'

/** Observations of an example. Half a day shows everything; more would fill screens. */
const LENGTH = 72

type Columns = Record<string, Array<number | null>>

function columnsOf (series: Series): Columns {
  return Object.fromEntries(series.channels.map((channel, c) => [channel, [...channelValues(series, c)]]))
}

/** From the middle on, a bearing runs hot. Two values of the power are missing. */
function withFault (columns: Columns): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([channel, values]) => [
      channel,
      values.map((value, t) => {
        if (channel === 'gearbox_bearing_temp_c' && t >= LENGTH / 2) {
          return Math.round((value! + Math.min(25, t - LENGTH / 2)) * 10) / 10
        }
        return channel === 'power_kw' && (t === 20 || t === 21) ? null : value
      }),
    ])
  )
}

const renamed = ({ wind_speed_ms: wind, ...others }: Columns): Columns => ({ wind_speed: wind!, ...others })

const csvOf = (series: Series, columns: Columns): string =>
  [
    ['timestamp', ...Object.keys(columns)].join(','),
    ...Array.from({ length: series.length }, (_, t) =>
      [formatInstant(timeOf(series, t)), ...Object.values(columns).map((values) => values[t] ?? '')].join(',')),
  ].join('\n').concat('\n')

export interface ComputeExamples {
  readonly json: Record<'healthy' | 'fault' | 'timestamps' | 'ad-hoc' | 'too-short' | 'unknown-channel', NamedExample>
  readonly csv: Record<'fault', NamedExample>
}

/** Makes the examples from a simulated day of one healthy turbine. Takes a few milliseconds. */
export function computeExamples (): ComputeExamples {
  const turbine = simulateFarm({ turbines: 1, days: 1, trainingDays: 1 }).turbines[0]!
  const series = slice(turbine.series, 0, LENGTH)
  const columns = columnsOf(series)
  const axis = { start: formatInstant(series.start), step: formatDuration(series.interval) }
  const post = (summary: string, body: object): NamedExample => ({
    summary: `${summary} (model ${EXAMPLE_MODEL})`,
    value: { model: EXAMPLE_MODEL, ...body },
  })
  const times = Array.from({ length: 24 }, (_, t) => formatInstant(timeOf(series, t)))
  return {
    json: {
      healthy: post('Half a healthy day of a turbine', { ...axis, channels: columns }),
      fault: post('A hot bearing, two missing values; every part of the answer', {
        ...axis,
        channels: withFault(columns),
        options: {
          include: ['score', 'isAnomaly', 'expected', 'bounds', 'contributions', 'anomalies', 'quality'],
          minDuration: 'PT30M',
        },
      }),
      timestamps: post('Timestamps instead of start and step; causal scoring', {
        timestamps: times, channels: columnsOf(slice(series, 0, times.length)), options: { scoring: 'causal' },
      }),
      'ad-hoc': {
        summary: 'Channels that no model has: a model is fitted on the first eight hours (model ad-hoc)',
        value: {
          ...axis,
          channels: {
            oil: columns['gearbox_oil_temp_c'],
            bearing: columns['gearbox_bearing_temp_c']!.map((value, t) => t < 60 ? value : value! + 30),
          },
          options: { fit: { rows: 48 }, direction: 'above' },
        },
      },
      'too-short': post('Three observations: 422 series-too-short', {
        ...axis,
        channels: columnsOf(slice(series, 0, 3)),
      }),
      'unknown-channel': post('A channel with a wrong name: 422 unknown-channel', {
        ...axis,
        channels: renamed(columnsOf(slice(series, 0, 24))),
      }),
    },
    csv: {
      fault: {
        summary: `A hot bearing, as a table (model ${EXAMPLE_MODEL})`,
        value: csvOf(series, withFault(columns)),
      },
    },
  }
}
