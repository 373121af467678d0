// The scorer: regular observations → verdicts and incidents. It uses the same detector as `POST /compute`. README.md
// describes its rules.
import { z } from 'zod'
import type { Verdict } from '../../../core/scoring/detection.ts'
import { Problem } from '../../../core/errors.ts'
import { readIsoTime } from '../../../core/table/iso-time.ts'
import type { Account } from '../../../core/verdicts/account.ts'
import { Explainer } from '../../../core/verdicts/explanation.ts'
import { type Arrival, arrivalOf, type MessageOf, STATE_TOPICS } from '../../messages/messages.ts'
import type { Following, LiveVersion } from '../../../adapters/follow-model/live-model.ts'
import type { Outlet, Received, Step, StepKind } from '../../runtime/step.ts'
import type { IncidentChange, IncidentRules } from './incidents.ts'
import { incidentMessage, modelOf, verdictMessage } from './outcomes.ts'
import { type LoadedDetector, type Row, SavedSeriesSchema, ScoredSeries } from './scored-series.ts'

/** The part of a model version that the scorer uses. */
export type ScoredVersion = Pick<LiveVersion, 'name' | 'version' | 'digest' | 'autoencoders'> & {
  readonly manifest: { readonly detector: LoadedDetector['detector'] },
}

export interface ScorerOptions {
  readonly live: Following<ScoredVersion>
  /** Number of channels that a verdict or an incident names. */
  readonly topChannels: number
  readonly incidents: IncidentRules
}

const SavedSchema = z.object({
  model: z.object({ name: z.string(), version: z.string(), digest: z.string() }),
  channels: z.array(z.string()).min(1),
  interval: z.int().min(1),
  series: z.array(z.tuple([z.string(), SavedSeriesSchema])),
})

type Observation = Received<MessageOf<'observation.regular.v1'>>
type Gap = Received<MessageOf<'gap.v1'>>

/** The model that scores the series now, or that scored them when they were saved. */
type Scored = Pick<z.output<typeof SavedSchema>, 'model' | 'channels' | 'interval'>

export function scorerKind (options: ScorerOptions): StepKind {
  return {
    name: 'scorer',
    accepts: ['observation.regular.v1', 'gap.v1'],
    stateTopic: STATE_TOPICS.scorer,
    async open (saved, closing) {
      await options.live.ready(closing)
      return new Scorer(options, saved)
    },
  }
}

class Scorer implements Step {
  readonly #options: ScorerOptions
  readonly #series = new Map<string, ScoredSeries<Observation>>()
  #scored: Scored
  /** Explains what the scored model finds; undefined for the model of a saved state that is not live any more. */
  #explainer: Explainer | undefined

  constructor (options: ScorerOptions, saved: unknown) {
    this.#options = options
    this.#scored = scoredBy(options.live.current)
    this.#explainer = explainerOf(options.live.current)
    if (saved !== undefined) this.#restore(saved)
  }

  process (messages: readonly Received[], out: Outlet): void {
    const version = this.#adopt(out)
    const touched = new Map<string, ScoredSeries<Observation>>()
    for (const message of messages) {
      const { series: name } = message.data
      const series = touched.get(name) ?? this.#seriesOf(name, version)
      touched.set(name, series)
      if (message.type === 'observation.regular.v1') this.#takeObservation(message, series, out)
      else if (message.type === 'gap.v1') this.#takeGap(message, series, out)
    }
    for (const [name, series] of touched) this.#score(name, series, version, out)
  }

  save (): z.output<typeof SavedSchema> {
    return { ...this.#scored, series: [...this.#series].map(([name, series]) => [name, series.save()]) }
  }

  #restore (saved: unknown): void {
    try {
      const { series, ...scored } = SavedSchema.parse(saved)
      const { current } = this.#options.live
      const isSame = scored.model.digest === current.digest
      for (const [name, state] of series) {
        const restored = new ScoredSeries<Observation>(this.#options.incidents, state)
        if (isSame) restored.resume(loadedDetectorOf(current))
        this.#series.set(name, restored)
      }
      this.#scored = isSame ? scoredBy(current) : scored
      if (!isSame) this.#explainer = undefined
    } catch (cause) {
      const reason = (cause as Error).message.slice(0, 500)
      throw new Problem(
        'invalid-state',
        `The saved state of the scorer cannot be read: ${reason} ` +
          `Delete the topic ${STATE_TOPICS.scorer} to begin anew.`,
        { cause }
      )
    }
  }

  /** Switches to the live version if it has changed. */
  #adopt (out: Outlet): ScoredVersion {
    const { current } = this.#options.live
    const [before, now] = [this.#scored, scoredBy(current)]
    if (before.model.digest === now.model.digest) return current
    const isWarm = before.interval === now.interval && before.channels.length === now.channels.length &&
      before.channels.every((name, c) => name === now.channels[c])
    for (const [name, series] of this.#series) {
      if (isWarm) {
        series.switchTo(loadedDetectorOf(current))
      } else {
        const change = series.incidents.close()
        const { arrival } = series
        if (change !== undefined) out.send(this.#messageOf(change, { series: name, ...before, arrival }))
        series.begin(loadedDetectorOf(current))
      }
    }
    this.#scored = now
    this.#explainer = explainerOf(current)
    return current
  }

  #seriesOf (name: string, version: ScoredVersion): ScoredSeries<Observation> {
    let series = this.#series.get(name)
    if (series === undefined) {
      series = new ScoredSeries(this.#options.incidents)
      series.begin(loadedDetectorOf(version))
      this.#series.set(name, series)
    }
    return series
  }

  #takeObservation (message: Observation, series: ScoredSeries<Observation>, out: Outlet): void {
    const { data: { values, imputed, time: text } } = message
    const { channels } = this.#scored
    const time = timeOf(text)
    const fault = this.#faultOf(message, time, series.last) ??
      (channels.some((name) => Object.hasOwn(values, name)) ? undefined : noKnownChannel(channels, values))
    if (fault !== undefined) return out.reject(message, ...fault)
    if (series.last !== undefined && time <= series.last) return out.drop(message, 'duplicate')
    const row: number[] = []
    for (const name of channels) row.push(values[name] ?? NaN)
    const filled = imputed.length === 0
      ? undefined
      : Uint8Array.from(channels, (name) => imputed.includes(name) ? 1 : 0)
    series.add({ time, values: row, filled, arrival: arrivalOf(message), origin: message }, this.#detector)
  }

  #takeGap (message: Gap, series: ScoredSeries<Observation>, out: Outlet): void {
    const [from, to] = [timeOf(message.data.from), timeOf(message.data.to)]
    const fault = this.#faultOf(message, to, series.last) ??
      (from <= to ? undefined : ['invalid-gap', 'It ends before it begins.'])
    if (fault !== undefined) return out.reject(message, ...fault)
    if (series.last !== undefined && to <= series.last) return out.drop(message, 'duplicate')
    series.skipTo(to, this.#detector, arrivalOf(message))
  }

  #faultOf ({ data }: Observation | Gap, time: number, last: number | undefined): Fault | undefined {
    const { interval } = this.#scored
    if (Number.isNaN(time)) return ['invalid-time', 'Its time is not a valid date.']
    if (data.interval !== interval) {
      return [
        'interval-mismatch',
        `Its interval is ${data.interval} ms, the model's is ${interval} ms; ` +
        'send the output of an imputer that follows the same model.',
      ]
    }
    if (last !== undefined && (time - last) % interval !== 0) {
      const scored = new Date(last).toISOString()
      return [
        'off-grid',
        `It is not a multiple of ${interval} ms after ${scored}, which was scored; send instants of one grid.`,
      ]
    }
    return undefined
  }

  #score (name: string, series: ScoredSeries<Observation>, version: ScoredVersion, out: Outlet): void {
    series.score(({ time, values, arrival, origin }: Row<Observation>, verdict: Verdict) => {
      const account = this.#accountOf(time, values, verdict)
      const kind = account.length === 0 ? undefined : this.#explainer!.kindOf(account)
      const { topChannels } = this.#options
      if (origin !== undefined) out.send(verdictMessage(origin, { ...verdict, kind }, version, topChannels))
      const change = series.incidents.next(time, verdict.score, verdict.contributions, account)
      if (change !== undefined) out.send(this.#messageOf(change, { series: name, ...this.#scored, arrival }))
    })
  }

  /** Empty unless the verdict is anomalous. */
  #accountOf (
    time: number,
    values: readonly number[],
    { score, anomalous, contributions, expected, evidence }: Verdict
  ): Account {
    if (anomalous !== true) return []
    const row = { time, score: score!, evidence, contributions: contributions!, values, expected: expected! }
    return this.#explainer!.add([], row)
  }

  #messageOf (
    change: IncidentChange,
    { series, model, channels, interval, arrival }: Scored & { readonly series: string, readonly arrival: Arrival }
  ): MessageOf<'incident.opened.v1' | 'incident.updated.v1' | 'incident.closed.v1'> {
    const { incidents: { critical }, topChannels } = this.#options
    const explainer = this.#explainer
    return incidentMessage(change, { series, model, channels, critical, topChannels, arrival, interval, explainer })
  }

  get #detector (): LoadedDetector['detector'] {
    return this.#options.live.current.manifest.detector
  }
}

type Fault = readonly [code: string, detail: string]

const scoredBy = (version: ScoredVersion): Scored => {
  const { channels, interval } = version.manifest.detector
  return { model: modelOf(version), channels: [...channels], interval }
}

const explainerOf = ({ manifest: { detector } }: ScoredVersion): Explainer =>
  new Explainer(detector, { scoring: 'causal' })

const loadedDetectorOf = ({ manifest: { detector }, autoencoders }: ScoredVersion): LoadedDetector =>
  ({ detector, autoencoders })

const timeOf = (text: string): number => readIsoTime(text) ?? Date.parse(text)

function noKnownChannel (channels: readonly string[], values: object): Fault {
  const sent = Object.keys(values).slice(0, 10).join(', ').slice(0, 200)
  return ['no-known-channel', `None of its channels (${sent}) is one of the model's: ${channels.join(', ')}.`]
}
