// A detector's state as JSON: every bit comes back, and damaged text is refused.
import fc from 'fast-check'
import t from 'tap'
import { Detector } from '../../../../core/detector/detector.ts'
import type { DetectorModel } from '../../../../core/detector/model.ts'
import type { ChannelEvidence } from '../../../../core/evidence/model.ts'
import { fitAdHoc } from '../../../../core/fitting/ad-hoc.ts'
import { observation, slice, timeOf } from '../../../../core/series/series.ts'
import { fitLinear, waves } from '../../../../core/test/synthetic.ts'
import { decodeBytes, decodeFloat32, decodeFloat64, encodeNumbers } from '../base64.ts'
import { decodeDetector, encodeDetector, type SavedDetector, SavedDetectorSchema } from '../saved-detector.ts'

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]))

const series = waves(440)
const { model, autoencoders } = await fitLinear([slice(series, 0, 400)])
const detector = new Detector(model, autoencoders)
detector.observeAll(Array.from({ length: 40 }, (_, i) => ({
  time: timeOf(series, 400 + i),
  values: observation(series, 400 + i),
})))
const state = detector.save()

t.test('numbers come back from their text with every bit, in the byte order that other machines read', async (t) => {
  fc.assert(
    fc.property(fc.float64Array({ maxLength: 3000 }), fc.float32Array(), fc.uint8Array(), (doubles, floats, bytes) =>
      same(decodeFloat64(encodeNumbers(doubles)), doubles) && same(decodeFloat32(encodeNumbers(floats)), floats) &&
      same(decodeBytes(encodeNumbers(bytes)), bytes))
  )
  t.equal(
    encodeNumbers(Float64Array.of(1, NaN)),
    Buffer.from('000000000000f03f000000000000f87f', 'hex').toString('base64')
  )
  t.equal(encodeNumbers(Float32Array.of(-2)), Buffer.from('000000c0', 'hex').toString('base64'))
  const part = Float64Array.of(7, 1, 7).subarray(1, 2)
  t.equal(encodeNumbers(part), 'AAAAAAAA8D8=', 'a view encodes its own part alone')
})

t.test('a state goes through JSON with every bit, its members in the order that is kept in topics', async (t) => {
  const text = JSON.stringify(encodeDetector(state))
  t.same(Object.keys(JSON.parse(text)), ['model', 'last', 'missingFor', 'window', 'errors', 'level', 'evidence'])
  const restored = decodeDetector(SavedDetectorSchema.parse(JSON.parse(text)))
  t.strictSame(restored, state)
  const next = { time: timeOf(series, 440), values: [1, 2, 3] }
  const [before, after] = [detector.observe(next), new Detector(model, autoencoders, restored).observe(next)]
  t.strictSame(after, before, 'the restored detector says what the saved one says')
})

t.test('text that is damaged is refused', async (t) => {
  const saved = encodeDetector(state)
  const refuses = (change: Partial<SavedDetector>, message: RegExp): void => {
    t.throws(() => decodeDetector({ ...saved, ...change }), { name: 'Problem', code: 'invalid-state', message })
  }
  const damaged = ['ä', 'AAA', 'A===', 'AA=A', 'AAAA AAA', 'AAA-', `${saved.last}\n`]
  for (const last of damaged) refuses({ last }, /not base64/)
  refuses({ window: encodeNumbers(Uint8Array.of(1, 2, 3)) }, /3 bytes instead of whole numbers of 4/)
})

/** A channel that remembers as much as any can. */
function fullest (channel: ChannelEvidence, channels: number): ChannelEvidence {
  const thresholds = { point: 9, mean: [9, 9], power: [9, 9] }
  const own = { offset: 0, weights: Array<number>(16).fill(0) }
  return {
    ...channel,
    baseline: { ...channel.baseline, level: 128, period: 24, profile: Array(24).fill(0), scale: Array(24).fill(1) },
    usual: 1,
    season: thresholds,
    own: { forward: own, backward: own, limit: 1, thresholds },
    relation: { prediction: { offset: 0, weights: Array(channels).fill(0) }, raw: false, factor: 1, thresholds },
    stillness: { frozenAfter: 5, usualStep: 1, meanStep: 1, quietAbove: 1 },
  }
}

t.test('the state of 12 channels is at most 64 kB, with everything that evidence can remember', async (t) => {
  const wide = waves(2000, 12)
  const fitted = await fitAdHoc(wide, { rows: 600 })
  const evidence = fitted.model.evidence.causal!
  const full: DetectorModel = {
    ...fitted.model,
    evidence: {
      ...fitted.model.evidence,
      causal: {
        ...evidence,
        channels: evidence.channels.map((channel) => fullest(channel, 12)),
        related: evidence.channels.map((_, c) => c),
        raw: { center: Array(12).fill(0), scale: Array(12).fill(1) },
      },
    },
  }
  const stream = new Detector(full, fitted.autoencoders)
  stream.observeAll(Array.from({ length: 1400 }, (_, i) => ({
    time: timeOf(wide, 600 + i),
    values: observation(wide, 600 + i),
  })))
  const { evidence: numbers, level, errors } = stream.save()
  t.equal(numbers.length, 4 + 12 * 255, 'four of the detector, and 255 of each channel')
  t.ok(level.length === full.causal.level.span && errors.length === 12 * full.causal.smoothing, 'nothing is empty')
  const size = JSON.stringify(encodeDetector(stream.save())).length
  t.comment(`${size} bytes`)
  t.ok(size > 40_000 && size <= 64_000, `${size} bytes`)
})
