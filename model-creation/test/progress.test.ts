// The progress that people see while a model is trained: lines in a log, a bar on a terminal.
import { Writable } from 'node:stream'
import t from 'tap'
import { epochSteps, terminalProgress } from '../stages/progress.ts'

/** A stream that records its text, and may pose as a terminal. */
function recorder (isTTY: boolean): { readonly stream: Writable, text: () => string } {
  let text = ''
  const stream = new Writable({
    write (chunk: Buffer, _, done) {
      text += chunk.toString()
      done()
    },
  })
  return { stream: Object.assign(stream, { isTTY, columns: 100 }), text: () => text }
}

t.test('in a log, every step is a plain line', (t) => {
  const { stream, text } = recorder(false)
  const progress = terminalProgress(stream)
  progress.stage('prepare')
  progress.step(1, 2, 'A: 600 observations')
  progress.step(2, 2, 'B: 600 observations')
  progress.message('done')
  progress.stage('train')
  progress.step(1, 3, '')
  progress.close()
  t.equal(
    text(),
    'prepare …\n  prepare 1/2 A: 600 observations\n  prepare 2/2 B: 600 observations\n  done\ntrain …\n  train 1/3 \n'
  )
  t.end()
})

t.test('on a terminal, steps are a bar, and the terminal needs no repair if the program is killed', (t) => {
  const { stream, text } = recorder(true)
  const progress = terminalProgress(stream)
  progress.stage('train')
  progress.step(1, 3, 'first')
  progress.step(2, 3, 'second')
  progress.step(3, 3, 'third')
  progress.message('trained')
  const shown = text()
  t.match(shown, /^train …\n/)
  t.match(shown, '█')
  t.match(shown, '3/3 third')
  t.match(shown, /\n {2}trained\n$/, 'the message has its own line')
  for (const hidden of ['\x1B[?25l', '\x1B[?7l']) t.notOk(shown.includes(hidden))
  progress.stage('evaluate')
  progress.step(1, 5, 'unfinished')
  progress.message('interrupts the bar')
  progress.step(2, 5, 'a new one')
  progress.stage('package')
  progress.step(1, 2, 'open')
  progress.close()
  progress.close()
  const shownInOrder = [
    '\nevaluate …\n',
    '1/5 unfinished',
    '\n  interrupts the bar\n',
    '2/5 a new one',
    '\npackage …\n',
    '1/2 open',
  ]
  t.match(text(), new RegExp(`${shownInOrder.join('[^]*')}[^]*\\n$`))
  t.end()
})

t.test('every epoch moves the bar, but only the end of a training is a line', (t) => {
  for (const isTTY of [false, true]) {
    const { stream, text } = recorder(isTTY)
    const progress = terminalProgress(stream)
    progress.stage('train')
    const onEpoch = epochSteps(progress, 2)
    for (let training = 0; training < 2; training++) {
      for (let epoch = 1; epoch <= 4; epoch++) onEpoch({ epoch, loss: 1 / epoch }, 4)
    }
    if (isTTY) {
      t.match(
        text(),
        /1\/8 training 1 of 2, mean squared error 1\.0000[^]*8\/8 training 2 of 2, mean squared error 0\.2500/
      )
    } else {
      t.equal(
        text(),
        'train …\n' +
          '  train 4/8 training 1 of 2, mean squared error 0.2500\n' +
          '  train 8/8 training 2 of 2, mean squared error 0.2500\n'
      )
    }
  }
  t.end()
})
