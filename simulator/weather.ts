// The weather over the farm: one free-stream wind and one ambient temperature for all turbines. Knows no turbine.
import type { Random } from '../core/random.ts'
import { between, drift, hump, wander, wave } from './arithmetic.ts'
import { STEPS_PER_DAY, STEPS_PER_HOUR } from './channels.ts'

export interface Weather {
  /** Free-stream wind at hub height, m/s, one per observation. */
  readonly wind: Float64Array
  /** Outside temperature, °C, one per observation. */
  readonly ambient: Float64Array
}

interface Storm {
  readonly peak: number
  readonly centre: number
  readonly halfWidth: number
}

/** Mean days between storms in which the farm must cut out. */
const DAYS_BETWEEN_STORMS = 20
/** A winter site near the coast: mild on average, with frost; it warms by 1.2 °C in 120 days. */
const MEAN_AMBIENT_C = 0.8
const WARMING_C_PER_DAY = 1.2 / 120

/** One storm in every `DAYS_BETWEEN_STORMS` days, so every part of the data has its share. */
function drawStorms (random: Random, length: number): Storm[] {
  const stretch = DAYS_BETWEEN_STORMS * STEPS_PER_DAY
  const storms: Storm[] = []
  for (let from = 0; from + stretch <= length; from += stretch) {
    storms.push({
      peak: between(random, 22.2, 23.8),
      centre: from + stretch * between(random, 0.15, 0.85),
      halfWidth: between(random, 7, 10) * STEPS_PER_HOUR,
    })
  }
  return storms
}

/** Wind without storms for a state of the atmosphere x ~ N(0, 1): skewed like a Weibull law, mean about 7.4 m/s. */
function windOf (x: number): number {
  return Math.max(0.6, 7 + 3.2 * x + 0.35 * x * x)
}

/**
 * Draws the weather of `length` observations that start at midnight.
 * @returns wind in m/s and ambient temperature in °C, both shape [length]
 */
export function simulateWeather (random: Random, length: number): Weather {
  const storms = drawStorms(random.fork('storms'), length)
  const front = drift(random.fork('front'), 10 * STEPS_PER_HOUR)
  const squall = wander(random.fork('squall'), 3 * STEPS_PER_HOUR)
  const airMass = drift(random.fork('air-mass'), 20 * STEPS_PER_HOUR)
  const cloud = drift(random.fork('cloud'), 12 * STEPS_PER_HOUR)
  const breath = wander(random.fork('breath'), STEPS_PER_HOUR)
  const wind = new Float64Array(length)
  const ambient = new Float64Array(length)
  for (let t = 0; t < length; t++) {
    const day = t / STEPS_PER_DAY
    const synoptic = front()
    const calm = windOf(0.95 * synoptic + 0.12 * wave(day - 0.4)) * (1 + 0.1 * squall())
    wind[t] = storms.reduce(
      (speed, storm) => speed + Math.max(0, storm.peak - speed) * hump((t - storm.centre) / storm.halfWidth),
      Math.max(0.3, calm)
    )
    // A clear sky widens the daily cycle, warmest in the afternoon; westerlies are mild in winter.
    const clearness = Math.max(0.3, 1 + 0.4 * cloud())
    ambient[t] = MEAN_AMBIENT_C + WARMING_C_PER_DAY * day + 3.6 * airMass() + 0.8 * synoptic +
      2.1 * clearness * wave(day - 0.375) + 0.3 * breath()
  }
  return { wind, ambient }
}
