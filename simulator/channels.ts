// The records of a turbine's historian: channels, their decimals, and the time grid.

/** Sampling interval of the farm in milliseconds: ten minutes, as SCADA systems average. */
export const SAMPLING_INTERVAL_MS = 600_000

/** Sampling interval in minutes, for time constants. */
export const STEP_MINUTES = SAMPLING_INTERVAL_MS / 60_000

/** Observations in one hour and in one day. */
export const STEPS_PER_HOUR = 60 / STEP_MINUTES
export const STEPS_PER_DAY = 24 * STEPS_PER_HOUR

/** Channel → decimals in the files. */
export const CHANNEL_DECIMALS = {
  wind_speed_ms: 2,
  power_kw: 1,
  rotor_rpm: 2,
  generator_rpm: 1,
  pitch_deg: 2,
  ambient_temp_c: 1,
  nacelle_temp_c: 1,
  gearbox_oil_temp_c: 1,
  gearbox_bearing_temp_c: 1,
  generator_bearing_temp_c: 1,
  vibration_mm_s: 3,
} as const

export type Channel = keyof typeof CHANNEL_DECIMALS

/** Channel names in the order of the columns. */
export const CHANNELS = Object.keys(CHANNEL_DECIMALS) as readonly Channel[]

/** One value per channel. */
export type Measurements = Record<Channel, number>

const SCALES = Object.fromEntries(
  CHANNELS.map((channel) => [channel, [1, 10, 100, 1000][CHANNEL_DECIMALS[channel]]])
) as Record<Channel, number>

/** The value in the historian: rounded to the decimals of its channel, never negative zero. */
export function quantise (channel: Channel, value: number): number {
  const scale = SCALES[channel]
  return Math.round(value * scale) / scale + 0
}
