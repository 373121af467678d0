// Counts the answers of each model: series, observations and anomalous observations.
import type { Answered } from '../compute/messages/messages.ts'

export interface AnswerCount {
  series: number
  observations: number
  anomalous: number
}

export class AnswerCounts {
  /** By name, without the version: the metric `model_served` has it. */
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
