// Shows progress on stderr: a bar on a terminal, else plain lines. Only results go to stdout.
import { type WriteStream } from 'node:tty'
import { Presets, SingleBar } from 'cli-progress'
import { type Epoch } from '../architectures/architecture.ts'

export interface Progress {
  /** A new stage begins. */
  stage (name: string): void
  message (text: string): void
  /** `done` of `total` parts of the stage are finished. A small step moves the bar, but makes no line in a log. */
  step (done: number, total: number, detail: string, small?: boolean): void
  close (): void
}

/** Shows nothing: for tests and for use as a library. */
export const silent: Progress = { stage () {}, message () {}, step () {}, close () {} }

export function terminalProgress (stream: WriteStream | NodeJS.WritableStream = process.stderr): Progress {
  const isTerminal = 'isTTY' in stream && stream.isTTY
  let bar: SingleBar | undefined
  let stage = ''
  const line = (text: string): void => { stream.write(`${text}\n`) }
  const endBar = (): void => {
    bar?.stop()
    bar = undefined
  }
  return {
    stage (name) {
      endBar()
      stage = name
      line(`${name} …`)
    },
    message (text) {
      endBar()
      line(`  ${text}`)
    },
    step (done, total, detail, small = false) {
      if (!isTerminal) {
        if (!small) line(`  ${stage} ${done}/${total} ${detail}`)
        return
      }
      if (bar === undefined) {
        // Keep cursor and line wrapping on: a killed program could not switch them on again.
        bar = new SingleBar(
          { linewrap: true, format: '  {bar} {value}/{total} {detail}', stream },
          Presets.shades_classic
        )
        bar.start(total, done, { detail })
      }
      bar.update(done, { detail })
      if (done === total) endBar()
    },
    close: endBar,
  }
}

/** Shows epochs of several trainings (folds, then the model) as steps; all but a training's last are small. */
export function epochSteps (progress: Progress, trainings: number): (epoch: Epoch, epochs: number) => void {
  let training = 0
  return ({ epoch, loss }, epochs) => {
    const last = epoch === epochs
    progress.step(
      training * epochs + epoch,
      trainings * epochs,
      `training ${training + 1} of ${trainings}, mean squared error ${loss.toFixed(4)}`,
      !last
    )
    if (last) training++
  }
}
