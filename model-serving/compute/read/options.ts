// The options of a request, from a JSON body or from a query.
import type { AnomalyRules } from '../../../core/verdicts/anomalies.ts'
import type { Scoring } from '../../../core/scoring/detection.ts'
import { parseDuration } from '../../../core/table/duration.ts'
import { pointer, Problem } from '../../../core/errors.ts'
import { DEFAULT_PARTS, type OptionsRequest, type Part } from '../../schemas/compute.ts'
import { parseInstant } from './times.ts'

export interface ComputeOptions {
  readonly scoring: Scoring
  readonly include: ReadonlySet<Part>
  /** Channels named in each anomaly. */
  readonly topChannels: number
  /** Shortest anomaly in milliseconds. An anomaly of n observations lasts n sampling intervals. */
  readonly minDuration: number | undefined
  /** Anomalies at most this many milliseconds apart become one; undefined: as findAnomalies() does. */
  readonly mergeGap: number | undefined
  readonly timestamps: 'strict' | 'repair'
  readonly threshold: OptionsRequest['threshold']
  readonly direction: OptionsRequest['direction']
  readonly minDeviation: OptionsRequest['minDeviation']
  readonly adaptive: boolean
  /** Path of the options in the request, for errors. */
  readonly base: readonly string[]
  /** Part that an ad-hoc model is fitted on; undefined: the whole series. */
  readonly fit: FitPart | undefined
}

/** The first part of the series, as a number of observations or as the time at which it ends. */
export interface FitPart {
  readonly rows?: number | undefined
  /** Milliseconds since the epoch. */
  readonly until?: number | undefined
  /** Path of this option in the request, for errors. */
  readonly at: readonly string[]
}

/**
 * @param base path of the options in the request, for errors
 * @throws Problem invalid-request if a duration cannot be read
 */
export function readOptions (
  request: OptionsRequest,
  defaults: Pick<ComputeOptions, 'timestamps'>,
  base: readonly string[]
): ComputeOptions {
  const duration = (name: 'minDuration' | 'mergeGap'): number | undefined =>
    request[name] === undefined ? undefined : parseDuration(request[name], pointer(...base, name))
  return {
    scoring: request.scoring ?? 'batch',
    include: new Set(request.include ?? DEFAULT_PARTS),
    topChannels: request.topChannels ?? 3,
    minDuration: duration('minDuration'),
    mergeGap: duration('mergeGap'),
    timestamps: request.timestamps ?? defaults.timestamps,
    threshold: request.threshold,
    direction: request.direction,
    minDeviation: request.minDeviation,
    adaptive: request.adaptive ?? true,
    base,
    fit: request.fit === undefined ? undefined : readFit(request.fit, base),
  }
}

function readFit (fit: NonNullable<OptionsRequest['fit']>, base: readonly string[]): FitPart {
  const inQuery = base[0] === 'query'
  if ('rows' in fit) return { rows: fit.rows, at: inQuery ? [...base, 'fitRows'] : [...base, 'fit', 'rows'] }
  const at = inQuery ? [...base, 'fitUntil'] : [...base, 'fit', 'until']
  const until = parseInstant(fit.until)
  if (!Number.isNaN(until)) return { until, at }
  throw new Problem(
    'invalid-timestamp',
    `"${fit.until.slice(0, 60)}" is not an RFC 3339 time; write it as 2026-01-31T13:50:00Z or with an offset.`,
    {
      items: [{
        pointer: pointer(...at),
        detail: 'not an RFC 3339 time',
        got: fit.until,
        want: '2026-01-31T13:50:00Z',
      }],
    }
  )
}

/** Durations in observations of the model's sampling interval. */
export function anomalyRules ({ minDuration, mergeGap }: ComputeOptions, interval: number): AnomalyRules {
  return {
    minLength: minDuration === undefined ? 1 : Math.ceil(minDuration / interval),
    ...(mergeGap !== undefined && { mergeGap: Math.floor(mergeGap / interval) }),
  }
}
