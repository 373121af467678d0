// The generator as one call for programs: sends the simulated fleet to any receiver.
import { setImmediate } from 'node:timers/promises'
import { pause } from '../../adapters/waiting.ts'
import { WIND_FARM_DEFAULTS } from '../../simulator/simulate.ts'
import { fleet, type FleetOptions } from './fleet.ts'
import { play, type PlayOptions } from './play.ts'

const DAY = 86_400_000

export interface GeneratorOptions
  extends
  Pick<PlayOptions, 'send' | 'now' | 'signal' | 'onSent'>,
  Partial<Pick<FleetOptions, 'series' | 'mode' | 'ordered' | 'dirt' | 'seed' | 'start' | 'history' | 'onFault'>> {
  /** Seconds of observations in a second. Default: 600. */
  readonly speed?: number
}

const DEFAULTS = {
  speed: 600,
  history: 2 * DAY,
  series: 20,
  mode: 'demo',
  ordered: [],
  dirt: false,
  seed: WIND_FARM_DEFAULTS.seed,
} as const

/** Ninety days ago, at the beginning of a day. */
export const defaultStart = (now: number): number => Math.floor(now / DAY) * DAY - 90 * DAY

/** Resolves once the signal has aborted and the last batch is taken; rejects if send() does. */
export async function startGenerator (
  { send, now, signal, onSent, onFault, ...options }: GeneratorOptions
): Promise<void> {
  const { speed, ...settings } = { ...DEFAULTS, start: defaultStart(now()), ...options }
  const stretches = fleet({ ...settings, ...(onFault && { onFault }), pause: async () => setImmediate() })
  await play({
    stretches,
    start: settings.start,
    history: settings.history,
    speed,
    send,
    now,
    signal,
    ...(onSent && { onSent }),
    wait: async (milliseconds) => pause(milliseconds, signal),
  })
}
