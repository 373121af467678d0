// What was answered, by model: series, their observations, and how many of those are anomalous.
import type { Answered } from '../compute/messages/messages.ts'

export interface AnswerCount {
  series: number
  observations: number
  anomalous: number
}

export class AnswerCounts {
  /** By name: a version is one of `model_served`. */
  readonly byModel = new Map<string, AnswerCount>()

  add ({ model, observations, anomalous }: Pick<Answered, 'model' | 'observations' | 'anomalous'>): void {
    const name = model.split('@', 1)[0]!
    const count = this.byModel.get(name) ?? { series: 0, observations: 0, anomalous: 0 }
    count.series++
    count.observations += observations
    count.anomalous += anomalous
    this.byModel.set(name, count)
  }
}
