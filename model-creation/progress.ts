// Shows progress on stderr: a bar on a terminal, plain lines otherwise. stdout is left to results.
import { type WriteStream } from 'node:tty'
import { Presets, SingleBar } from 'cli-progress'
import { type Epoch } from './architectures/architecture.ts'

export interface Progress {
  /** A new stage begins. */
  stage (name: string): void
  message (text: string): void
  /** Parts of the stage that are done, of how many. */
  step (done: number, total: number, detail: string): void
  close (): void
}

/** Says nothing: for tests and for use as a library. */
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
    step (done, total, detail) {
      if (!isTerminal) {
        line(`  ${stage} ${done}/${total} ${detail}`)
        return
      }
      if (bar === undefined) {
        bar = new SingleBar({ format: '  {bar} {value}/{total} {detail}', stream, hideCursor: true }, Presets.shades_classic)
        bar.start(total, done, { detail })
      }
      bar.update(done, { detail })
      if (done === total) endBar()
    },
    close: endBar,
  }
}

/** Epochs of one training among several (folds, then the model itself) as steps; plain lines tell the last epoch only. */
export function epochSteps (progress: Progress, trainings: number): (epoch: Epoch, epochs: number) => void {
  let done = 0
  return ({ epoch, loss }, epochs) => {
    if (epoch < epochs) return
    done++
    progress.step(done, trainings, `${epochs} ${epochs === 1 ? 'step' : 'epochs'}, mean squared error ${loss.toFixed(4)}`)
  }
}
