// Orders of people and of the grid to the turbines, all of them normal: maintenance, cable unwinding, grid outages,
// curtailment.
import type { Random } from '../core/random.ts'
import { between } from './arithmetic.ts'
import { STEPS_PER_DAY, STEPS_PER_HOUR } from './channels.ts'

/** Orders to one turbine, one per observation. */
export interface Orders {
  /** 1 if the turbine must stand still. */
  readonly stop: Uint8Array
  /** Highest power allowed, as a share of rated power; 1 if it is not curtailed. */
  readonly cap: Float64Array
}

const CAPS = [0.3, 0.45, 0.6, 0.75]

/** Calls `each` at times that are `days` apart on average (0.6 to 1.4 times as much). */
function repeat (random: Random, length: number, days: number, each: (t: number) => void): void {
  const pause = (): number => Math.round(between(random, 0.6, 1.4) * days * STEPS_PER_DAY)
  for (let t = pause(); t < length; t += pause()) each(t)
}

/** Marks `hours` from t as a stop. */
function stopFor (stop: Uint8Array, t: number, hours: number): void {
  stop.fill(1, t, t + Math.max(1, Math.round(hours * STEPS_PER_HOUR)))
}

/** Orders to the whole farm: outages of the grid, and curtailment on its request. */
export function farmOrders (random: Random, length: number): Orders {
  const stop = new Uint8Array(length)
  const cap = new Float64Array(length).fill(1)
  const outage = random.fork('outage')
  repeat(outage, length, 22, (t) => stopFor(stop, t, between(outage, 0.7, 2)))
  const curtailment = random.fork('curtailment')
  repeat(curtailment, length, 2.2, (t) => {
    cap.fill(CAPS[curtailment.integer(CAPS.length)]!, t, t + Math.round(between(curtailment, 2, 8) * STEPS_PER_HOUR))
  })
  return { stop, cap }
}

/** Orders to one turbine: those of the farm, maintenance by day, and cable unwinding at any hour. */
export function turbineOrders (random: Random, farm: Orders): Orders {
  const stop = Uint8Array.from(farm.stop)
  const length = stop.length
  const maintenance = random.fork('maintenance')
  repeat(maintenance, length, 13, (t) => {
    const morning = Math.floor(t / STEPS_PER_DAY) * STEPS_PER_DAY +
      Math.round(between(maintenance, 7.5, 10) * STEPS_PER_HOUR)
    stopFor(stop, morning, between(maintenance, 2.5, 5.5))
  })
  const unwinding = random.fork('unwinding')
  repeat(unwinding, length, 5, (t) => stopFor(stop, t, between(unwinding, 0.3, 0.9)))
  return { stop, cap: farm.cap }
}
