// First tries from plants: a pump, a tank, a level sensor, vibration, three phases.
import { type Random } from '../../../core/random.ts'
import {
  type Drawing, type Kind, type Label, label, late, MINUTE, NEVER, real, rowsOf, SECOND, wandering, whole, within,
} from './draw.ts'

/** A pump at set-points that change at random; its bearing is warmer than its speed explains during `hot`. */
function pump (random: Random, length: number, hot: Label = NEVER): Drawing {
  const columns = { speed_rpm: [] as number[], power_kw: [] as number[], bearing_c: [] as number[] }
  let [target, speed, bearing, excess, change] = [1000, 1000, 50, 0, 0]
  for (let t = 0; t < length; t++) {
    if (t === change) {
      target = real(random, 600, 1500)
      change += whole(random, 20, 90)
    }
    speed += 0.4 * (target - speed)
    bearing += 0.06 * (30 + 0.02 * speed - bearing)
    excess = Math.min(10, Math.max(0, excess + (within(hot, t) ? 1.5 : -1.5)))
    columns.speed_rpm.push(speed + 4 * random.normal())
    columns.power_kw.push(20 * (speed / 1000) ** 3 + 0.3 * random.normal())
    columns.bearing_c.push(bearing + excess + 0.2 * random.normal())
  }
  return { interval: MINUTE, columns, labels: hot === NEVER ? [] : [hot] }
}

const healthyPump: Kind = (random) => pump(random, whole(random, 2000, 3000))

const hotBearing: Kind = (random) => {
  const length = whole(random, 2000, 3000)
  const rows = whole(random, 50, 110)
  return pump(random, length, label(late(random, length, rows), rows, 'bearing_c'))
}

const TANK = { low: 20, high: 80, draining: 0.8, filling: 2.8, leaking: 5 }

/** A tank that drains and is filled again between two levels; labelled from the leak until it is refilled. */
function tank (random: Random, length: number, leak: Label = NEVER): Drawing {
  let [level, filling, limit, end] = [50, false, TANK.low, -1]
  const values = rowsOf(length, (t) => {
    const leaks = within(leak, t)
    level = Math.max(0, level - TANK.draining + (filling ? TANK.filling : 0) - (leaks ? TANK.leaking : 0))
    if (filling ? level > limit : level < limit) {
      filling = !filling
      limit = (filling ? TANK.high : TANK.low) + 1.5 * random.normal()
    }
    if (leaks || (end === t - 1 && level < TANK.low - 2)) end = t
    return Math.max(0, level + 0.3 * random.normal())
  })
  const labels = leak === NEVER ? [] : [{ ...leak, to: end }]
  return { interval: MINUTE, columns: { level_percent: values }, labels }
}

const healthyTank: Kind = (random) => tank(random, whole(random, 2500, 3500))

const tankLeak: Kind = (random) => {
  const length = whole(random, 2500, 3500)
  const rows = whole(random, 40, 80)
  return tank(random, length, label(late(random, length, rows), rows, 'level_percent'))
}

/** A level that comes and goes with the day, in steps of 0.5. */
function coarseLevel (random: Random, length: number): number[] {
  return wandering(random, length, 0.98).map((drift, t) =>
    Math.round(2 * (20 + 4 * Math.sin(2 * Math.PI * t / 144) + 0.8 * drift)) / 2
  )
}

const healthyCoarseLevel: Kind = (random) => {
  const values = coarseLevel(random, 144 * whole(random, 14, 20))
  return { interval: 10 * MINUTE, columns: { level_m: values }, labels: [] }
}

const frozenLevel: Kind = (random) => {
  const values = coarseLevel(random, 144 * whole(random, 14, 20))
  const frozen = label(late(random, values.length, 150), whole(random, 90, 150), 'level_m')
  values.fill(values[frozen.from]!, frozen.from, frozen.to + 1)
  return { interval: 10 * MINUTE, columns: { level_m: values }, labels: [frozen] }
}

/** Acceleration around zero that is four times as strong for a while. */
const roughRunning: Kind = (random) => {
  const length = whole(random, 1500, 2500)
  const rows = whole(random, 40, 100)
  const rough = label(late(random, length, rows), rows, 'acceleration')
  const values = rowsOf(length, (t) => (within(rough, t) ? 4 : 1) * random.normal())
  return { interval: SECOND, columns: { acceleration: values }, labels: [rough] }
}

/** Currents of three phases under one load; phase b has three quarters of it for a while. */
const weakPhase: Kind = (random) => {
  const length = whole(random, 1500, 2500)
  const rows = whole(random, 30, 80)
  const weak = label(late(random, length, rows), rows, 'b_ampere')
  const columns = { a_ampere: [] as number[], b_ampere: [] as number[], c_ampere: [] as number[] }
  wandering(random, length, 0.97).forEach((drift, t) => {
    const load = Math.max(10, 60 + 15 * drift)
    columns.a_ampere.push(load + 0.6 * random.normal())
    columns.b_ampere.push(0.96 * load * (within(weak, t) ? 0.75 : 1) + 0.6 * random.normal())
    columns.c_ampere.push(1.03 * load + 0.6 * random.normal())
  })
  return { interval: MINUTE, columns, labels: [weak] }
}

export const MACHINES: Readonly<Record<string, Kind>> = {
  'pump-hot-bearing': hotBearing,
  'tank-leak': tankLeak,
  'level-frozen': frozenLevel,
  'vibration-rough': roughRunning,
  'phase-weak': weakPhase,
  'healthy-pump': healthyPump,
  'healthy-tank': healthyTank,
  'healthy-coarse-level': healthyCoarseLevel,
}
