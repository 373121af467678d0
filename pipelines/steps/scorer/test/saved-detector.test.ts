// A detector's state as JSON: every bit comes back, and damaged text is refused.
import fc from 'fast-check'
import t from 'tap'
import { Detector } from '../../../../core/detector/detector.ts'
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
