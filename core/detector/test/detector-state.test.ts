// A saved state that no detector of the model can hold is refused by a problem, whatever it is.
import t from 'tap'
import { fitAdHoc } from '../../fitting/ad-hoc.ts'
import { observation, timeOf } from '../../series/series.ts'
import { waves } from '../../test/synthetic.ts'
import { Detector } from '../detector.ts'

const series = waves(120)
const { model, autoencoders } = await fitAdHoc(series)
const detector = new Detector(model, autoencoders)
for (let i = 0; i < 40; i++) detector.observe({ time: timeOf(series, i), values: observation(series, i) })
const state = detector.save()

t.test('a state of the model goes on, anything else is refused', async (t) => {
  t.strictSame(new Detector(model, autoencoders, state).save(), state)
  const refuses = (saved: unknown, message: RegExp): void => {
    t.throws(() => new Detector(model, autoencoders, saved), { name: 'Problem', code: 'invalid-state', message })
  }
  for (const saved of [null, 7, 'state', {}, { ...state, evidence: [1, 2, 3, 4] }]) refuses(saved, /no numbers/)
  refuses({ ...state, evidence: state.evidence.slice(0, 3) }, /no numbers/)
  refuses({ ...state, evidence: state.evidence.with(0, -1) }, /no numbers/)
  refuses({ ...state, evidence: state.evidence.slice(0, -1) }, /holds \d+ numbers, not \d+/)
  refuses({ ...state, model: 'another' }, /belongs to a model another/)
})
