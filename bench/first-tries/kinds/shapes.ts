// First tries with a shape that repeats, and short ones.
import { type Random } from '../../../core/random.ts'
import { bell, DAY, type Drawing, HOUR, type Kind, label, late, real, rowsOf, whole } from './draw.ts'

/** A heartbeat, i rows after its begin: a small wave, the sharp one, and a broad one. */
const beatAt = (i: number): number =>
  0.15 * bell(i - 6, 2.5) + 1.2 * bell(i - 14, 1.1) - 0.25 * bell(i - 17, 1.2) + 0.3 * bell(i - 28, 4)

/** A beat that begins in the ventricle: upside down and broad. */
const oddBeatAt = (i: number): number => -0.9 * bell(i - 14, 4) + 0.5 * bell(i - 27, 6)

/** Heartbeats at 50 Hz whose pauses wobble; beat number `odd` is another one. */
function heartbeats (random: Random, beats: number, odd = -1): Drawing {
  const usual = real(random, 42, 50)
  const values: number[] = []
  const labels = []
  for (let beat = 0; beat < beats; beat++) {
    const shape = beat === odd ? oddBeatAt : beatAt
    const rows = Math.max(38, Math.round(usual * (1 + 0.05 * random.normal())))
    if (beat === odd) {
      const differs = Array.from({ length: rows }, (_, i) => i).filter((i) => Math.abs(oddBeatAt(i) - beatAt(i)) > 0.1)
      labels.push(label(values.length + differs[0]!, differs.at(-1)! - differs[0]! + 1, 'millivolt'))
    }
    values.push(...rowsOf(rows, (i) => shape(i) + 0.02 * random.normal()))
  }
  return { interval: 20, columns: { millivolt: values }, labels }
}

const healthyHeartbeats: Kind = (random) => heartbeats(random, whole(random, 40, 60))

const oddHeartbeat: Kind = (random) => {
  const beats = whole(random, 40, 60)
  return heartbeats(random, beats, late(random, beats, 1))
}

/** A wave that runs twice as fast for two or three of its periods. */
const fasterWave: Kind = (random) => {
  const length = whole(random, 1500, 2500)
  const period = whole(random, 40, 90)
  const faster = period * whole(random, 2, 3)
  const from = late(random, length, faster)
  let phase = random.uniform()
  const values = rowsOf(length, (t) => {
    phase += (t >= from && t < from + faster ? 2 : 1) / period
    return Math.sin(2 * Math.PI * phase) + 0.1 * random.normal()
  })
  return { interval: 100, columns: { value: values }, labels: [label(from, faster, 'value')] }
}

/** Breaths of unequal length and depth, with a pause as long as two or three of them. */
const breathPause: Kind = (random) => {
  const breaths = whole(random, 30, 45)
  const paused = late(random, breaths, 1)
  const values: number[] = []
  const labels = []
  for (let breath = 0; breath < breaths; breath++) {
    if (breath === paused) {
      const rows = whole(random, 130, 190)
      labels.push(label(values.length, rows, 'chest'))
      values.push(...rowsOf(rows, () => 0.03 * random.normal()))
    }
    const rows = Math.round(60 * (1 + 0.08 * random.normal()))
    const depth = 1 + 0.08 * random.normal()
    values.push(...rowsOf(rows, (i) => depth * Math.sin(Math.PI * i / rows) ** 2 + 0.03 * random.normal()))
  }
  return { interval: 100, columns: { chest: values }, labels }
}

const shortSpike: Kind = (random) => {
  const length = whole(random, 24, 40)
  const at = whole(random, Math.ceil(0.6 * length), length - 2)
  const side = random.uniform() < 0.5 ? -24 : 24
  const values = rowsOf(length, (t) => 50 + 2 * random.normal() + (t === at ? side : 0))
  return { interval: HOUR, columns: { value: values }, labels: [label(at, 1, 'value')] }
}

const shortLoss: Kind = (random) => {
  const length = whole(random, 12, 23)
  const at = whole(random, Math.ceil(0.6 * length), length - 2)
  const values = rowsOf(length, (t) => t === at ? real(random, 0, 20) : 200 + 10 * random.normal())
  return { interval: DAY, columns: { sales: values }, labels: [label(at, 1, 'sales')] }
}

const healthyShort: Kind = (random) => {
  const slope = random.uniform() < 0.5 ? 0 : real(random, -1.5, 1.5)
  const values = rowsOf(whole(random, 12, 40), (t) => 50 + slope * t + 2 * random.normal())
  return { interval: HOUR, columns: { value: values }, labels: [] }
}

export const SHAPES: Readonly<Record<string, Kind>> = {
  'heartbeat-odd': oddHeartbeat,
  'wave-faster': fasterWave,
  'breath-pause': breathPause,
  'short-spike': shortSpike,
  'short-loss': shortLoss,
  'healthy-heartbeats': healthyHeartbeats,
  'healthy-short': healthyShort,
}
