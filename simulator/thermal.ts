// Heat in the drive train: four temperatures, each with a first-order lag behind the equilibrium for load, speed and
// surroundings.
import { clamp } from './arithmetic.ts'
import { STEP_MINUTES } from './channels.ts'

/** Temperatures in °C. */
export interface Temperatures {
  readonly nacelle: number
  readonly oil: number
  readonly gearboxBearing: number
  readonly generatorBearing: number
}

interface HeatSources {
  readonly ambient: number
  /** Power as a share of rated. */
  readonly load: number
  /** Rotor speed as a share of rated. */
  readonly speed: number
  /** Share of the oil flow that the pump delivers. */
  readonly oilFlow: number
  /** Extra friction in each bearing, °C at full load. */
  readonly gearboxFriction: number
  readonly generatorFriction: number
  /** Efficiency of this turbine's cooler, about 1. */
  readonly cooling: number
}

/** The oil's thermostat begins to open at the first temperature and is fully open at the second. */
const THERMOSTAT_C = [44, 58] as const
/** A heater keeps the oil of a resting turbine at this temperature. */
const HEATED_OIL_C = 28

/**
 * One sampling interval of a first-order lag by backward Euler, which cannot overshoot for any time constant.
 * @param tau time constant in minutes
 */
export function relax (value: number, target: number, tau: number): number {
  return value + (target - value) * STEP_MINUTES / (tau + STEP_MINUTES)
}

/** The temperatures one sampling interval later. */
export function heat (before: Temperatures, sources: HeatSources): Temperatures {
  const { ambient, load, speed, oilFlow, cooling } = sources
  const strain = 0.35 * speed + 0.65 * load
  const nacelle = relax(before.nacelle, ambient + 6 + 5 * speed + 7 * load, 150)
  const open = clamp((before.oil - THERMOSTAT_C[0]) / (THERMOSTAT_C[1] - THERMOSTAT_C[0]), 0, 1)
  const cooler = 1.6 * open * oilFlow * cooling
  const churning = 36 * speed + 14 * load + 0.35 * sources.gearboxFriction * strain
  const oil = relax(before.oil, Math.max(nacelle + churning / (1 + cooler), HEATED_OIL_C), 240 / (1 + cooler))
  // Without flow the oil does not carry the bearing's heat away, so the bearing's losses heat it.
  const starved = 1 - oilFlow
  const gearboxBearing = relax(
    before.gearboxBearing,
    oil + 4 * speed + 5 * load + (sources.gearboxFriction + 20 * starved) * strain,
    28
  )
  const generatorBearing = relax(
    before.generatorBearing,
    9 + 0.6 * nacelle + 14 * speed + 8 * load + sources.generatorFriction * strain,
    50
  )
  return { nacelle, oil, gearboxBearing, generatorBearing }
}
