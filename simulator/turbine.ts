// One turbine: weather, orders and faults in, a recorded series out. Knows no other turbine and no dirt.
import type { Random } from '../core/random.ts'
import type { Series } from '../core/series/series.ts'
import { between, clamp, hump, noise, wander } from './arithmetic.ts'
import { CHANNELS, quantise, SAMPLING_INTERVAL_MS, type Measurements } from './channels.ts'
import {
  control,
  GEAR_RATIO,
  RATED_POWER_KW,
  RATED_ROTOR_RPM,
  type ControlState,
  type Operation,
  type Regime,
} from './controls.ts'
import { effectsAt, falsify, type Effects, type Fault } from './faults.ts'
import type { Orders } from './operations.ts'
import { heat, type Temperatures } from './thermal.ts'
import type { Weather } from './weather.ts'

/** Share of the power that a turbine loses for each °C of wear. */
const POWER_LOST_TO_WEAR = 0.005

/** Differences between turbines of the same type. */
interface Individual {
  /** Wind at the turbine relative to the free stream. */
  readonly exposure: number
  /** Observations by which fronts reach it later. */
  readonly delay: number
  readonly efficiency: number
  readonly cooling: number
  readonly roughness: number
  /** Mounting offsets of its temperature sensors, °C. */
  readonly offsets: Temperatures
}

export interface TurbineInput {
  readonly random: Random
  readonly weather: Weather
  readonly orders: Orders
  readonly faults: readonly Fault[]
  /**
   * Wear at an observation: °C by which the bearings run hotter at full load. Wear also reduces the power.
   */
  readonly wear: (t: number) => number
  /** Time of the first observation, milliseconds since the epoch. */
  readonly start: number
}

export interface TurbineRun {
  readonly series: Series
  /** True operating regime at every observation; no file records it. */
  readonly regimes: readonly Regime[]
}

function drawIndividual (random: Random): Individual {
  const offset = (): number => between(random, -1.3, 1.3)
  return {
    exposure: between(random, 0.965, 1.035),
    delay: random.integer(3),
    efficiency: between(random, 0.985, 1.015),
    cooling: between(random, 0.94, 1.06),
    roughness: between(random, 0.93, 1.07),
    offsets: { nacelle: offset(), oil: offset(), gearboxBearing: offset(), generatorBearing: offset() },
  }
}

/**
 * Vibration in mm/s: grows with speed and load, is highest at the tower's resonance, and faults add to it.
 */
function vibrationOf (operation: Operation, wind: number, effects: Effects): number {
  const speed = operation.rotor / RATED_ROTOR_RPM
  const load = operation.power / RATED_POWER_KW
  const resonance = 0.18 * hump((operation.rotor - 11.2) / 1.5)
  return 0.28 + 0.75 * speed + 0.65 * load + resonance + 0.025 * wind * speed + effects.shaking * speed
}

/**
 * Slow disturbances that no channel records: wake and yaw error, ventilation, oil condition. Each call gives the next
 * observation.
 */
function disturbances (
  random: Random
): () => { gust: number, wake: number, nacelle: number, oil: number, bearing: number, roughness: number } {
  const gust = wander(random.fork('gust'), 4)
  const wake = wander(random.fork('wake'), 30)
  const nacelle = wander(random.fork('ventilation'), 40)
  const oil = wander(random.fork('oil'), 60)
  const bearing = wander(random.fork('bearing'), 50)
  const roughness = wander(random.fork('roughness'), 40)
  return () => ({
    gust: gust(),
    wake: wake(),
    nacelle: nacelle(),
    oil: oil(),
    bearing: bearing(),
    roughness: roughness(),
  })
}

/** Measured values: the true ones plus the noise of each sensor. */
function measure (random: Random, truth: Measurements): Measurements {
  const stir = (value: number, relative: number, absolute: number): number =>
    value + (relative * value + absolute) * noise(random)
  return {
    wind_speed_ms: Math.max(0, stir(truth.wind_speed_ms, 0.02, 0.08)),
    power_kw: stir(truth.power_kw, 0.012, 3),
    rotor_rpm: Math.max(0, stir(truth.rotor_rpm, 0.004, 0.01)),
    generator_rpm: Math.max(0, stir(truth.generator_rpm, 0.003, 0.5)),
    pitch_deg: stir(truth.pitch_deg, 0.01, 0.08),
    ambient_temp_c: stir(truth.ambient_temp_c, 0, 0.2),
    nacelle_temp_c: stir(truth.nacelle_temp_c, 0, 0.25),
    gearbox_oil_temp_c: stir(truth.gearbox_oil_temp_c, 0, 0.25),
    gearbox_bearing_temp_c: stir(truth.gearbox_bearing_temp_c, 0, 0.35),
    generator_bearing_temp_c: stir(truth.generator_bearing_temp_c, 0, 0.35),
    vibration_mm_s: Math.max(0, stir(truth.vibration_mm_s, 0.05, 0.01)),
  }
}

/** The physics of one turbine: a function that computes the next observation with each call. */
function machine (
  { random, weather, orders, faults, wear }: Omit<TurbineInput, 'start'>
): (t: number) => { truth: Measurements, regime: Regime } {
  const own = drawIndividual(random.fork('individual'))
  const disturb = disturbances(random)
  const state: ControlState = { sheltering: false, activity: 1 }
  const first = weather.ambient[0]!
  let temperatures: Temperatures = { nacelle: first + 12, oil: 42, gearboxBearing: 48, generatorBearing: 38 }
  return (t) => {
    const effects = effectsAt(faults, t)
    const worn = wear(t)
    const unseen = disturb()
    const ambient = weather.ambient[t]!
    const stream = weather.wind[Math.max(0, t - own.delay)]! * own.exposure
    const wind = Math.max(0.2, stream + (0.045 * stream + 0.15) * unseen.gust + 0.02 * stream * unseen.wake)
    const conditions = {
      wind,
      density: 281 / (273 + ambient),
      stop: orders.stop[t] === 1,
      cap: orders.cap[t]!,
      efficiency: own.efficiency * (1 + 0.015 * unseen.wake) * (1 - POWER_LOST_TO_WEAR * worn),
    }
    const operation = control(state, { ...conditions, aeroLoss: effects.aeroLoss, pitchOffset: effects.pitchOffset })
    const load = operation.power / RATED_POWER_KW
    const speed = operation.rotor / RATED_ROTOR_RPM
    const friction = {
      gearboxFriction: effects.gearboxFriction + worn,
      generatorFriction: effects.generatorFriction + worn,
    }
    temperatures = heat(temperatures, {
      ...effects,
      ...friction,
      ambient: ambient + 0.7 * unseen.nacelle,
      load,
      speed,
      cooling: own.cooling,
    })
    return {
      regime: operation.regime,
      truth: {
        wind_speed_ms: wind,
        power_kw: operation.power - 9 * (1 - operation.activity),
        rotor_rpm: operation.rotor,
        generator_rpm: operation.rotor * GEAR_RATIO,
        pitch_deg: operation.pitch,
        ambient_temp_c: ambient,
        nacelle_temp_c: temperatures.nacelle + own.offsets.nacelle,
        gearbox_oil_temp_c: temperatures.oil + own.offsets.oil + 0.6 * unseen.oil,
        gearbox_bearing_temp_c: temperatures.gearboxBearing + own.offsets.gearboxBearing + 0.7 * unseen.bearing,
        generator_bearing_temp_c: temperatures.generatorBearing + own.offsets.generatorBearing - 0.7 * unseen.bearing,
        vibration_mm_s: vibrationOf(operation, wind, effects) * own.roughness *
          (1 + 0.05 * clamp(unseen.roughness, -3, 3)),
      },
    }
  }
}

/**
 * Runs one turbine through the weather; equal inputs give equal series, and a fault changes nothing before its onset.
 */
export function simulateTurbine (input: TurbineInput): TurbineRun {
  const { weather, random } = input
  const length = weather.wind.length
  const width = CHANNELS.length
  const values = new Float64Array(length * width)
  const step = machine({ ...input, random: random.fork('machine') })
  const sensors = random.fork('sensors')
  const regimes: Regime[] = []
  for (let t = 0; t < length; t++) {
    const { truth, regime } = step(t)
    const measured = measure(sensors, truth)
    CHANNELS.forEach((channel, c) => { values[t * width + c] = quantise(channel, measured[channel]) })
    regimes.push(regime)
  }
  falsify(values, input.faults, quantise)
  return { series: { channels: CHANNELS, start: input.start, interval: SAMPLING_INTERVAL_MS, length, values }, regimes }
}
