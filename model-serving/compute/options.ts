// What the caller wants of a detection: the same options whether they came in a JSON body or in a query.
import { type AnomalyRules } from '../../core/anomalies.ts'
import { type Scoring } from '../../core/detection.ts'
import { parseDuration } from '../../core/duration.ts'
import { pointer } from '../../core/errors.ts'
import { DEFAULT_PARTS, type OptionsRequest, type Part } from '../schemas/compute.ts'

export interface ComputeOptions {
  readonly scoring: Scoring
  readonly include: ReadonlySet<Part>
  /** Channels named in each anomaly. */
  readonly topChannels: number
  /** Shortest anomaly in milliseconds; one of n observations lasts n sampling intervals. */
  readonly minDuration: number | undefined
  /** Longest time between two anomalies that become one, in milliseconds. */
  readonly mergeGap: number | undefined
  readonly timestamps: 'strict' | 'repair'
}

/**
 * @param base path of the options in the request, for errors
 * @throws Problem invalid-request where a duration cannot be read
 */
export function readOptions (request: OptionsRequest, defaults: Pick<ComputeOptions, 'timestamps'>, base: readonly string[]): ComputeOptions {
  const duration = (name: 'minDuration' | 'mergeGap'): number | undefined =>
    request[name] === undefined ? undefined : parseDuration(request[name], pointer(...base, name))
  return {
    scoring: request.scoring ?? 'batch',
    include: new Set(request.include ?? DEFAULT_PARTS),
    topChannels: request.topChannels ?? 3,
    minDuration: duration('minDuration'),
    mergeGap: duration('mergeGap'),
    timestamps: request.timestamps ?? defaults.timestamps,
  }
}

/** Durations in observations of the model's sampling interval. */
export function anomalyRules ({ minDuration, mergeGap }: ComputeOptions, interval: number): AnomalyRules {
  return {
    minLength: minDuration === undefined ? 1 : Math.ceil(minDuration / interval),
    mergeGap: mergeGap === undefined ? 0 : Math.floor(mergeGap / interval),
  }
}
