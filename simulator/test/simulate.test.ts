// The simulated farm: its physics, its normal regimes and its faults.
import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../core/random.ts'
import { channelValues, type Series } from '../../core/series/series.ts'
import { drift, hump, interpolate, noise, rise, wander, wave } from '../arithmetic.ts'
import { CHANNELS, quantise, SAMPLING_INTERVAL_MS, STEPS_PER_DAY, STEPS_PER_HOUR, type Channel } from '../channels.ts'
import {
  control,
  CUT_IN_MS,
  CUT_OUT_MS,
  GEAR_RATIO,
  powerCurve,
  RATED_POWER_KW,
  RATED_WIND_MS,
  type Regime,
} from '../controls.ts'
import { FAULT_TRAITS, FAULT_TYPES, type Fault } from '../faults.ts'
import { farmOrders, turbineOrders } from '../operations.ts'
import { simulateFarm, WIND_FARM_DEFAULTS } from '../simulate.ts'
import { heat, relax } from '../thermal.ts'
import { simulateTurbine } from '../turbine.ts'
import { simulateWeather } from '../weather.ts'

const farm = simulateFarm()
const trainingSteps = WIND_FARM_DEFAULTS.trainingDays * STEPS_PER_DAY

function column (series: Series, channel: Channel): Float64Array {
  return channelValues(series, CHANNELS.indexOf(channel))
}

function mean (values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
}

function correlation (a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((value, i) => {
    ab += (value - meanA) * (b[i]! - meanB)
    aa += (value - meanA) ** 2
    bb += (b[i]! - meanB) ** 2
  })
  return ab / Math.sqrt(aa * bb)
}

/** Whether two arrays hold the very same numbers; `t.strictSame` would take seconds to walk them. */
function same (a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

/** Mean over the observations for which `when` holds. */
function meanWhere (values: Float64Array, when: (t: number) => boolean): number {
  return mean(values.filter((_, i) => when(i)))
}

t.test('the farm has the shape that its options name', (t) => {
  t.equal(farm.turbines.length, 5)
  t.strictSame(farm.turbines.map(({ name }) => name), ['T01', 'T02', 'T03', 'T04', 'T05'])
  for (const { series, regimes } of farm.turbines) {
    t.strictSame(series.channels, CHANNELS)
    t.match({ start: series.start, interval: series.interval, length: series.length }, {
      start: Date.UTC(2026, 0, 1),
      interval: 600_000,
      length: 120 * 144,
    })
    t.equal(regimes.length, series.length)
    t.ok(series.values.every(Number.isFinite), 'and no value is missing before dirt')
  }
  t.end()
})

t.test('options that make no farm are refused', (t) => {
  t.throws(() => simulateFarm({ turbines: 0 }), { code: 'invalid-settings' })
  t.throws(() => simulateFarm({ days: 2.5 }), { code: 'invalid-settings' })
  t.throws(() => simulateFarm({ days: 10, trainingDays: 11 }), { code: 'invalid-settings' })
  t.throws(() => simulateFarm({ ageing: -1 }), { code: 'invalid-settings' })
  t.end()
})

t.test('ageing bearings run hotter, more and more, and nothing changes before', (t) => {
  const options = { seed: 'age', turbines: 1, days: 40, trainingDays: 10, faultsPerType: 0 }
  const [fresh, worn] = [0, 6].map((ageing) => simulateFarm({ ...options, ageing }).turbines[0]!.series)
  const c = CHANNELS.indexOf('gearbox_bearing_temp_c')
  const hotter = channelValues(worn!, c).map((value, i) => value - channelValues(fresh!, c)[i]!)
  const mean = (from: number, to: number): number =>
    hotter.subarray(from * STEPS_PER_DAY, to * STEPS_PER_DAY).reduce((sum, value) => sum + value, 0) /
    ((to - from) * STEPS_PER_DAY)
  t.equal(mean(0, 10), 0)
  t.ok(mean(10, 25) > 0.2 && mean(25, 40) > 1.5 * mean(10, 25) && mean(25, 40) < 6, `${mean(10, 25)} ${mean(25, 40)}`)
  t.end()
})

t.test('equal seeds give equal farms, other seeds others, and a turbine does not depend on how many follow it', (t) => {
  const small = { turbines: 2, days: 8, trainingDays: 8 }
  const [a, again, other] = [simulateFarm(small), simulateFarm(small), simulateFarm({ ...small, seed: 'other' })]
  t.ok(a.turbines.every(({ series }, i) => same(series.values, again.turbines[i]!.series.values)))
  t.notOk(same(a.turbines[0]!.series.values, other.turbines[0]!.series.values))
  t.ok(same(simulateFarm({ ...small, turbines: 1 }).turbines[0]!.series.values, a.turbines[0]!.series.values))
  t.strictSame(a.labels, [], 'a farm that is all training has no fault')
  t.end()
})

t.test('power never falls with the wind up to rated, starts at cut-in and is level from rated on', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 30, noNaN: true }), fc.double({ min: 0, max: 30, noNaN: true }), (a, b) => {
      return powerCurve(Math.min(a, b)) <= powerCurve(Math.max(a, b))
    })
  )
  t.equal(powerCurve(CUT_IN_MS), 0)
  t.ok(powerCurve(CUT_IN_MS + 0.5) > 0)
  t.equal(powerCurve(RATED_WIND_MS), RATED_POWER_KW)
  t.equal(powerCurve(CUT_OUT_MS), RATED_POWER_KW)
  t.end()
})

t.test('the controller shelters from storms until the wind has calmed, and pitches to hold a cap', (t) => {
  const healthy = { aeroLoss: 0, pitchOffset: 0, density: 1, stop: false, cap: 1, efficiency: 1 }
  const state = { sheltering: false, activity: 1 }
  const regimes = [20, 22, 19, 19, 17, 17].map((wind) => control(state, { ...healthy, wind }).regime)
  t.strictSame(regimes, ['rated', 'cut-out', 'cut-out', 'cut-out', 'rated', 'rated'])
  const free = control({ sheltering: false, activity: 1 }, { ...healthy, wind: 10 })
  const capped = control({ sheltering: false, activity: 1 }, { ...healthy, wind: 10, cap: 0.3 })
  t.match([free.regime, capped.regime], ['partial-load', 'curtailed'])
  t.equal(capped.power, 0.3 * RATED_POWER_KW)
  t.ok(capped.pitch > free.pitch + 3)
  const stopped = control({ sheltering: false, activity: 0 }, { ...healthy, wind: 10, stop: true })
  t.match(stopped, { power: 0, rotor: 0, regime: 'stopped' })
  t.end()
})

t.test('temperatures follow with first-order inertia', (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -50, max: 150, noNaN: true }),
      fc.double({ min: -50, max: 150, noNaN: true }),
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      (value, target, tau) => {
        const next = relax(value, target, tau)
        return Math.abs(target - next) <= Math.abs(target - value) && (target - next) * (target - value) >= 0
      }
    ),
    { examples: [[20, 60, 1]] }
  )
  let value = 0
  for (let step = 0; step < 100; step++) value = relax(value, 1, 1000)
  t.ok(Math.abs(value - (1 - Math.exp(-1))) < 0.005, 'after one time constant, 63 % of the way')

  const load = { ambient: 5, load: 0.8, speed: 1, oilFlow: 1, gearboxFriction: 0, generatorFriction: 0, cooling: 1 }
  let running = { nacelle: 5, oil: 30, gearboxBearing: 30, generatorBearing: 20 }
  for (let step = 0; step < 200; step++) running = heat(running, load)
  t.ok(running.oil > 45 && running.oil < 60, 'the thermostat holds the oil')
  t.ok(running.gearboxBearing > running.oil)
  let resting = running
  const cooling = [1, 2, 3, 4, 5].map(() => (resting = heat(resting, { ...load, load: 0, speed: 0 })).gearboxBearing)
  t.strictSame(cooling, cooling.toSorted((a, b) => b - a), 'a stopped turbine cools down')
  t.ok(cooling.at(-1)! > 35, 'but slowly')
  const starved = heat(heat(running, { ...load, oilFlow: 0 }), { ...load, oilFlow: 0 })
  t.ok(
    starved.gearboxBearing > running.gearboxBearing + 5,
    'without oil flow the bearing heats up within twenty minutes'
  )
  const rubbing = heat(running, { ...load, gearboxFriction: 20 })
  t.ok(
    rubbing.oil > running.oil && rubbing.gearboxBearing - running.gearboxBearing > rubbing.oil - running.oil,
    'a hot bearing warms the oil a little'
  )
  t.end()
})

t.test('turbines see one weather and differ a little', (t) => {
  const winds = farm.turbines.map(({ series }) => column(series, 'wind_speed_ms').subarray(0, trainingSteps))
  const ambients = farm.turbines.map(({ series }) => column(series, 'ambient_temp_c').subarray(0, trainingSteps))
  for (let i = 0; i < winds.length; i++) {
    for (let j = 0; j < i; j++) {
      t.ok(correlation(winds[i]!, winds[j]!) > 0.8, `wind of T0${j + 1} and T0${i + 1}`)
      t.ok(correlation(ambients[i]!, ambients[j]!) > 0.95, `ambient of T0${j + 1} and T0${i + 1}`)
      t.notOk(same(winds[i]!, winds[j]!))
    }
  }
  t.end()
})

t.test('channels are coupled, but not exactly', (t) => {
  for (const { name, series, regimes } of farm.turbines) {
    const of = (channel: Channel): Float64Array => column(series, channel).subarray(0, trainingSteps)
    const [wind, power, rotor, generator] = [of('wind_speed_ms'), of('power_kw'), of('rotor_rpm'), of('generator_rpm')]
    const residual = generator.map((value, i) => value - GEAR_RATIO * rotor[i]!)
    t.ok(
      correlation(generator, rotor) > 0.999 && residual.some((value) => Math.abs(value) > 1),
      `${name}: generator and rotor`
    )
    const partial = (i: number): boolean => regimes[i] === 'partial-load'
    t.ok(
      correlation(wind.filter((_, i) => partial(i)), power.filter((_, i) => partial(i))) > 0.9,
      `${name}: wind and power`
    )
    t.ok(
      meanWhere(of('gearbox_bearing_temp_c'), (i) => regimes[i] === 'rated') >
        meanWhere(of('gearbox_oil_temp_c'), (i) => regimes[i] === 'rated') + 4
    )
    t.ok(
      meanWhere(of('pitch_deg'), (i) => regimes[i] === 'rated') > meanWhere(of('pitch_deg'), partial) + 2,
      `${name}: pitch above rated`
    )
    t.ok(mean(of('nacelle_temp_c')) > mean(of('ambient_temp_c')) + 5)
  }
  t.end()
})

t.test('every normal regime occurs on every turbine while it is healthy', (t) => {
  const hours: Record<Regime, number> = {
    idle: 24,
    'partial-load': 480,
    rated: 72,
    curtailed: 24,
    'cut-out': 6,
    stopped: 12,
  }
  for (const { name, regimes, series } of farm.turbines) {
    for (const [regime, least] of Object.entries(hours)) {
      const found = regimes.slice(0, trainingSteps).filter((value) => value === regime).length / STEPS_PER_HOUR
      t.ok(found >= least, `${name} ${regime}: ${found.toFixed(0)} h of at least ${least}`)
    }
    const rotor = column(series, 'rotor_rpm')
    t.ok(regimes.some((regime, i) => regime === 'stopped' && rotor[i] === 0), `${name} stands still when it is stopped`)
  }
  t.end()
})

t.test('test and training period have like weather', (t) => {
  for (const { series } of farm.turbines) {
    for (const [channel, most] of [['wind_speed_ms', 1.5], ['nacelle_temp_c', 3]] as const) {
      const values = column(series, channel)
      t.ok(Math.abs(mean(values.subarray(0, trainingSteps)) - mean(values.subarray(trainingSteps))) < most, channel)
    }
  }
  t.end()
})

t.test('faults strike after the training period only, each type often, never two at once', (t) => {
  for (const seed of [WIND_FARM_DEFAULTS.seed, 'another']) {
    const { labels } = seed === WIND_FARM_DEFAULTS.seed ? farm : simulateFarm({ seed })
    const trainingEnd = WIND_FARM_DEFAULTS.start + trainingSteps * SAMPLING_INTERVAL_MS
    const end = WIND_FARM_DEFAULTS.start + WIND_FARM_DEFAULTS.days * 86_400_000
    for (const type of FAULT_TYPES) t.ok(labels.filter(({ fault }) => fault === type).length >= 6, `${seed}: ${type}`)
    labels.forEach((label, i) => {
      const hours = (label.end - label.start + SAMPLING_INTERVAL_MS) / 3_600_000
      const [shortest, longest] = FAULT_TRAITS[label.fault].hours
      t.ok(
        label.start >= trainingEnd && label.end < end && hours > shortest - 0.2 && hours < longest + 0.2,
        `${label.turbine} ${label.fault}`
      )
      const before = labels[i - 1]
      if (before?.turbine === label.turbine) {
        t.ok(label.start - before.end >= 24 * 3_600_000, 'a healthy day lies between two faults')
      }
    })
  }
  t.end()
})

t.test('where the test period has no room, faults are left out', (t) => {
  const { labels } = simulateFarm({ turbines: 1, days: 16, trainingDays: 10 })
  t.ok(labels.length > 0 && labels.length < 49, `${labels.length} faults`)
  t.end()
})

t.test('icing strikes in frost', (t) => {
  for (const { name, series, faults } of farm.turbines) {
    const ambient = column(series, 'ambient_temp_c')
    for (const { from, to } of faults.filter(({ type }) => type === 'icing')) {
      t.ok(mean(ambient.subarray(from, to + 1)) < 1, `${name} at ${from}`)
    }
  }
  t.end()
})

t.test('a fault changes nothing before its onset, and shows through the physics after it', (t) => {
  const random = createRandom('fault')
  const length = 12 * STEPS_PER_DAY
  const weather = {
    wind: simulateWeather(random, length).wind.map((wind) => 8 + wind / 8),
    ambient: new Float64Array(length).fill(-2),
  }
  const orders = turbineOrders(random, farmOrders(random, length))
  const run = (fault?: Omit<Fault, 'from' | 'to'>) => {
    const faults = fault ? [{ ...fault, from: 1000, to: 1300 }] : []
    return simulateTurbine({
      random: createRandom('T'),
      weather,
      orders: { ...orders, stop: orders.stop.fill(0), cap: orders.cap.fill(1) },
      faults,
      wear: () => 0,
      start: 0,
    }).series
  }
  const healthy = run()
  const moved = (fault: Omit<Fault, 'from' | 'to'>): Record<Channel, number> => {
    const series = run(fault)
    t.ok(
      same(series.values.subarray(0, 1000 * CHANNELS.length), healthy.values.subarray(0, 1000 * CHANNELS.length)),
      fault.type
    )
    const shift = (channel: Channel): number =>
      mean(column(series, channel).subarray(1150, 1301)) - mean(column(healthy, channel).subarray(1150, 1301))
    return Object.fromEntries(CHANNELS.map((channel) => [channel, shift(channel)])) as Record<Channel, number>
  }
  const within = (value: number, low: number, high: number): boolean => value > low && value < high
  const mild = { severity: 0, sign: 1 } as const
  const bearing = moved({ ...mild, type: 'bearing-overheating', channel: 'gearbox_bearing_temp_c' })
  t.ok(within(bearing.gearbox_bearing_temp_c, 8, 20) && within(bearing.gearbox_oil_temp_c, 0.3, 4))
  const generator = moved({ ...mild, type: 'bearing-overheating', channel: 'generator_bearing_temp_c' })
  t.ok(within(generator.generator_bearing_temp_c, 8, 20))
  t.equal(generator.gearbox_bearing_temp_c, 0)
  const pump = moved({ ...mild, type: 'oil-pump-loss', channel: 'gearbox_oil_temp_c' })
  t.ok(within(pump.gearbox_oil_temp_c, 3, 25) && within(pump.gearbox_bearing_temp_c - pump.gearbox_oil_temp_c, 5, 25))
  t.equal(pump.power_kw, 0)
  const ice = moved({ ...mild, type: 'icing', channel: 'power_kw' })
  t.ok(within(ice.power_kw, -1500, -300) && within(ice.rotor_rpm, -8, -0.5) && within(ice.vibration_mm_s, 0.2, 1.5))
  t.equal(ice.wind_speed_ms, 0)
  const pitch = moved({ ...mild, type: 'pitch-fault', channel: 'pitch_deg' })
  t.ok(within(pitch.pitch_deg, 5, 14) && within(pitch.power_kw, -1500, -200) && within(pitch.vibration_mm_s, 0.2, 1.5))
  const burst = moved({ ...mild, type: 'vibration-burst', channel: 'vibration_mm_s' })
  t.ok(within(burst.vibration_mm_s, 1, 3))
  t.equal(burst.power_kw, 0)
  const bias = moved({ ...mild, type: 'sensor-bias', channel: 'wind_speed_ms' })
  t.ok(within(bias.wind_speed_ms, 4.49, 4.51))
  t.equal(bias.power_kw, 0)
  const colder = moved({ ...mild, sign: -1, type: 'sensor-bias', channel: 'nacelle_temp_c' })
  t.ok(within(colder.nacelle_temp_c, -11.01, -10.99))
  t.equal(colder.gearbox_oil_temp_c, 0)
  const frozen = column(run({ ...mild, type: 'frozen-sensor', channel: 'rotor_rpm' }), 'rotor_rpm')
  t.equal(new Set(frozen.subarray(1000, 1301)).size, 1)
  t.not(frozen[1301], frozen[1300], 'and thaws after the fault')
  t.end()
})

t.test('curves are smooth and bounded, noise has mean 0 and deviation 1', (t) => {
  t.match([wave(0), wave(0.25), wave(0.5), wave(0.75), wave(7.25)], [0, 1, 0, -1, 1])
  t.match([hump(0), hump(1), hump(-2), rise(-1), rise(0.5), rise(2)], [1, 0, 0, 0, 0.5, 1])
  t.match([0, 1, 1.5, 2, 9].map((x) => interpolate([[1, 10], [2, 20]], x)), [10, 10, 15, 20, 20])
  for (const [name, next] of Object.entries({
    noise: ((random) => () => noise(random))(createRandom('noise')),
    wander: wander(createRandom('wander'), 5),
    drift: drift(createRandom('drift'), 5),
  })) {
    const values = Array.from({ length: 60_000 }, next)
    const average = mean(values)
    t.ok(Math.abs(average) < 0.05 && Math.abs(mean(values.map((value) => (value - average) ** 2)) - 1) < 0.06, name)
  }
  t.equal(Object.is(quantise('power_kw', -0.01), 0), true, 'the historian writes no negative zero')
  t.equal(quantise('vibration_mm_s', 1.23456), 1.235)
  t.end()
})
