// First tries from homes: a fridge, solar panels, a water meter, an energy counter.
import { type Random } from '../../../core/random.ts'
import {
  type Drawing, type Kind, type Label, label, late, lateDay, MINUTE, NEVER, real, rowsOf, wandering, whole, within,
} from './draw.ts'

const FRIDGE = { low: 3, high: 5, cooling: 0.1, warming: 0.06, open: 0.35 }

/** A compressor that switches by temperature, at limits that vary a little. */
function compressor (random: Random): (temperature: number) => boolean {
  let running = false
  let limit = FRIDGE.high
  return (temperature) => {
    if (running ? temperature < limit : temperature > limit) {
      running = !running
      limit = (running ? FRIDGE.low : FRIDGE.high) + 0.1 * random.normal()
    }
    return running
  }
}

/** A fridge; `open` are the rows with the door open, and the label lasts until the temperature is back. */
function fridge (random: Random, length: number, open: Label = NEVER): Drawing {
  const columns = { temperature_c: [] as number[], compressor_w: [] as number[] }
  const runs = compressor(random)
  let [temperature, running, end] = [4, false, -1]
  for (let t = 0; t < length; t++) {
    temperature += (running ? -FRIDGE.cooling : FRIDGE.warming) + 0.01 * random.normal()
    if (within(open, t)) temperature += FRIDGE.open
    running = runs(temperature)
    if (within(open, t) || (end === t - 1 && temperature > FRIDGE.high + 0.3)) end = t
    columns.temperature_c.push(temperature + 0.05 * random.normal())
    columns.compressor_w.push(running ? 90 + 2 * random.normal() : 3 + 0.3 * random.normal())
  }
  return { interval: MINUTE, columns, labels: open === NEVER ? [] : [{ ...open, to: end }] }
}

const healthyFridge: Kind = (random) => fridge(random, whole(random, 2000, 3000))

const doorLeftOpen: Kind = (random) => {
  const length = whole(random, 2000, 3000)
  const rows = whole(random, 20, 40)
  return fridge(random, length, label(late(random, length - 150, rows), rows, 'temperature_c', 'compressor_w'))
}

const MOST_SUN = 5
const sunAt = (t: number): number => MOST_SUN * Math.max(0, Math.sin(Math.PI * (t % 144 / 6 - 6) / 12))

/** Ten-minute means of solar power. One day in each four is clouded; on day `dead` there is no power at all. */
function solar (random: Random, days: number, dead = -1): Drawing {
  const clouds = wandering(random, days * 144, 0.8)
  const clear = Array.from({ length: days }, () => real(random, 0.92, 1))
  for (let day = 0; day < days; day += 4) clear[day + random.integer(4)] = 0
  const values = clouds.map((cloud, t) => {
    const day = Math.floor(t / 144)
    if (day === dead) return 0
    const share = clear[day]! > 0 ? clear[day]! + 0.02 * cloud : Math.min(0.9, Math.max(0.2, 0.5 + 0.15 * cloud))
    return sunAt(t) * share
  })
  const light = Array.from({ length: 144 }, (_, t) => t).filter((t) => sunAt(t) > 0.05 * MOST_SUN)
  const labels = dead < 0 ? [] : [label(dead * 144 + light[0]!, light.length, 'power_kw')]
  return { interval: 10 * MINUTE, columns: { power_kw: values }, labels }
}

const healthySolar: Kind = (random) => solar(random, 4 * whole(random, 4, 6))

const deadDay: Kind = (random) => {
  const days = 4 * whole(random, 4, 6)
  return solar(random, days, lateDay(random, days))
}

/** How often somebody draws water in a quarter of an hour. */
function drawsAt (hour: number): number {
  if (hour < 6) return 0
  if (hour < 9) return 0.8
  return hour < 18 ? 0.25 : 0.6
}

/** A water meter: nothing at night, but for a leak from half past midnight to half past five of one night. */
const nightLeak: Kind = (random) => {
  const days = whole(random, 18, 28)
  const leak = label(lateDay(random, days) * 96 + 2, 20, 'litres')
  const strength = real(random, 7, 11)
  const values = rowsOf(days * 96, (t) => {
    const use = random.uniform() < drawsAt(t % 96 / 4) ? real(random, 4, 30) : 0
    return use + (within(leak, t) ? strength + 0.5 * random.normal() : 0)
  })
  return { interval: 15 * MINUTE, columns: { litres: values }, labels: [leak] }
}

const useAt = (t: number): number => 2 + 1.2 * Math.sin(2 * Math.PI * t / 288)

/** An energy counter that stands still for some hours, and then goes on from there. */
const counterStandsStill: Kind = (random) => {
  const length = whole(random, 2000, 3000)
  const rows = whole(random, 60, 120)
  const still = label(late(random, length, rows), rows, 'energy_kwh')
  let counter = real(random, 1000, 5000)
  const values = rowsOf(length, (t) => {
    const use = Math.max(0.1, useAt(t) + 0.3 * random.normal())
    return (counter += within(still, t) ? 0 : use)
  })
  return { interval: 5 * MINUTE, columns: { energy_kwh: values }, labels: [still] }
}

/** A counter of the energy since midnight. */
const healthyDailyCounter: Kind = (random) => {
  let counter = 0
  const values = rowsOf(288 * whole(random, 7, 11), (t) => {
    if (t % 288 === 0) counter = 0
    return (counter += Math.max(0.1, useAt(t) + 0.3 * random.normal()))
  })
  return { interval: 5 * MINUTE, columns: { energy_today_kwh: values }, labels: [] }
}

export const HOME: Readonly<Record<string, Kind>> = {
  'fridge-door-open': doorLeftOpen,
  'solar-dead-day': deadDay,
  'water-night-leak': nightLeak,
  'counter-stands-still': counterStandsStill,
  'healthy-fridge': healthyFridge,
  'healthy-solar': healthySolar,
  'healthy-daily-counter': healthyDailyCounter,
}
