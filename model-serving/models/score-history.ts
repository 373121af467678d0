// The served scores, kept in the store of the registry for feedback and drift. Worker threads report them; they are
// written in groups, and the oldest are removed first.
import type { FastifyBaseLogger } from 'fastify'
import { z } from 'zod'
import { timedId } from '../../adapters/identifiers.ts'
import { readRecord } from '../../adapters/registry/records.ts'
import type { RegistryStore } from '../../adapters/registry/store.ts'
import type { ScoreReport } from '../compute/messages/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import type { ServedModels } from '../packages/served-models.ts'

const RunSchema = z.object({
  version: z.string(),
  digest: z.string(),
  scoring: z.enum(['batch', 'causal']),
  start: z.number(),
  interval: z.number().positive(),
  scores: z.array(z.number().nullable()),
})
/** Scores on a grid, as they were served. */
export type ScoreRun = z.output<typeof RunSchema>

/** Most scores that wait to be written. Further ones are dropped: an unreachable store must not fill the memory. */
const MAX_WAITING = 500_000
/** Most bytes of stored scores per model: about two million scores. */
const MAX_BYTES = 16_000_000
const FLUSH_MS = 15_000
/** Significant digits of a stored score. */
const DIGITS = 4
/** Drift is detected from so many latest scores of a version. */
const RECENT = 20_000

const keyOf = (model: string): string => `scores/${model}/`

interface ScoreHistoryOptions {
  readonly store: RegistryStore
  readonly models: ServedModels
  readonly scorer: Pick<Scorer, 'drift'>
  readonly log: FastifyBaseLogger
}

export class ScoreHistory {
  readonly #options: ScoreHistoryOptions
  readonly #waiting = new Map<string, ScoreReport[]>()
  /** By digest and scoring. */
  readonly #recent = new Map<string, ScoreReport[]>()
  #scores = 0
  #timer: NodeJS.Timeout
  #writing: Promise<void> = Promise.resolve()

  constructor (options: ScoreHistoryOptions) {
    this.#options = options
    this.#timer = setInterval(() => { this.flush().catch(() => {}) }, FLUSH_MS)
    this.#timer.unref()
  }

  add (report: ScoreReport): void {
    if (this.#scores + report.scores.length > MAX_WAITING) return
    const runs = this.#waiting.get(report.ref.name) ?? []
    // A repeated request gives the same scores again: they count once.
    if (runs.some((run) => isSame(run, report))) return
    runs.push(report)
    this.#waiting.set(report.ref.name, runs)
    this.#scores += report.scores.length
  }

  /** Writes the waiting scores, and looks for drift. Never rejects. */
  async flush (): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      this.#scores = 0
      for (const [model, runs] of waiting) {
        await this.#write(model, runs).catch((error: unknown) => {
          this.#options.log.warn({ model, problem: (error as Error).message }, 'scores could not be stored')
        })
        await this.#lookForDrift(runs).catch((error: unknown) => {
          this.#options.log.warn({ model, problem: (error as Error).message }, 'drift could not be computed')
        })
      }
    })
    await this.#writing
  }

  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  /** The stored scores of a version, in order of time. @throws Problem registry-unavailable */
  async read (model: string, digest: string): Promise<ScoreRun[]> {
    await this.flush()
    const objects = await this.#options.store.list(keyOf(model))
    const contents = await Promise.all(objects.map(async ({ key }) => this.#options.store.get(key)))
    const runs = contents.flatMap((content) => readRecord(z.array(RunSchema), content) ?? [])
    return runs.filter((run) => run.digest === digest).sort((a, b) => a.start - b.start)
  }

  async #write (model: string, runs: readonly ScoreReport[]): Promise<void> {
    const { store } = this.#options
    const written = runs.map(({ ref, scoring, start, interval, scores }): ScoreRun => ({
      version: ref.version,
      digest: ref.digest,
      scoring,
      start,
      interval,
      scores: Array.from(scores, (score) => Number.isNaN(score) ? null : Number(score.toPrecision(DIGITS))),
    }))
    await store.create(
      `${keyOf(model)}${timedId(new Date())}.json`,
      new TextEncoder().encode(JSON.stringify(written))
    )
    const objects = await store.list(keyOf(model))
    let bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
    for (const { key, bytes: size } of objects) {
      if (bytes <= MAX_BYTES) break
      await store.remove(key)
      bytes -= size
    }
  }

  async #lookForDrift (runs: readonly ScoreReport[]): Promise<void> {
    const touched = new Set<string>()
    for (const run of runs) {
      const key = `${run.ref.digest} ${run.scoring}`
      this.#recent.set(key, latest([...this.#recent.get(key) ?? [], run]))
      touched.add(key)
    }
    for (const key of touched) await this.#compare(this.#recent.get(key)!)
  }

  async #compare (runs: readonly ScoreReport[]): Promise<void> {
    const { models, scorer, log } = this.#options
    const { ref, scoring } = runs[0]!
    const scores = Float32Array.from(runs.toSorted((a, b) => a.start - b.start).flatMap((run) => [...run.scores]))
    const verdict = await scorer.drift({ ref, scoring, scores })
    if (verdict === undefined || verdict.verdict === 'unknown') return
    if (models.setDrifting(ref.digest, scoring, verdict.drifting) && verdict.drifting) {
      log.warn(
        { ...ref, scoring, statistic: verdict.statistic, limit: verdict.limit },
        'scores have drifted from those that the model was calibrated on'
      )
    }
  }
}

/** The latest runs with at most RECENT scores, and at least one run. */
function latest (runs: readonly ScoreReport[]): ScoreReport[] {
  let scores = 0
  const from = runs.findLastIndex((run) => (scores += run.scores.length) > RECENT)
  return runs.slice(Math.min(runs.length - 1, from + 1))
}

/** Compares the scores too: two machines may have series of the same time and length. */
const isSame = (a: ScoreReport, b: ScoreReport): boolean =>
  a.start === b.start && a.ref.digest === b.ref.digest && a.scoring === b.scoring &&
  a.scores.length === b.scores.length && a.scores.every((score, t) => Object.is(score, b.scores[t]))
