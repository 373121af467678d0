// The steps of the embedded stream. This module is imported once there is a model, so that the answer to the first
// request does not wait for it.
import type { FastifyBaseLogger } from 'fastify'
import { Keeper } from '../steps/collector/keeper.ts'
import type { LiveFeed } from '../steps/dashboard/live-feed.ts'
import { dashboardKind } from '../steps/dashboard/step.ts'
import type { Database } from '../database/database.ts'
import { defaultStart, startGenerator } from '../generator/generator.ts'
import { imputerKind } from '../steps/imputer/step.ts'
import { loadStrategy } from '../steps/imputer/strategies/load-strategy.ts'
import type { Log } from '../messages/log.ts'
import type { StepMetrics } from '../runtime/metrics.ts'
import { LiveModel } from '../../adapters/follow-model/live-model.ts'
import { scorerKind } from '../steps/scorer/step.ts'
import { incidentRules, type ScorerSettings } from '../settings/scorer.ts'
import type { ModelSettings } from '../settings/models.ts'
import { sinkKind } from '../steps/sink/step.ts'
import type { StepKind } from '../runtime/step.ts'

interface EmbeddedSteps {
  readonly model: LiveModel
  readonly kinds: ReadonlyArray<{ readonly kind: StepKind, readonly from: 'earliest' | 'latest' }>
}

interface ImputerChoices {
  readonly IMPUTER_STRATEGY: string
  readonly IMPUTER_LATENESS?: number | undefined
  readonly IMPUTER_PATIENCE_MS: number
  readonly IMPUTER_MAX_AHEAD: number
}

export async function openSteps (
  settings: ModelSettings & ScorerSettings & ImputerChoices,
  { database, feed, logger }: {
    readonly database: Database,
    readonly feed: LiveFeed,
    readonly logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>,
  }
): Promise<EmbeddedSteps> {
  const strategy = await loadStrategy(settings.IMPUTER_STRATEGY)
  const live = await LiveModel.open(settings, { log: logger })
  const { IMPUTER_LATENESS: lateness, IMPUTER_PATIENCE_MS: patience, IMPUTER_MAX_AHEAD: maxAhead } = settings
  return {
    model: live,
    kinds: [
      { kind: imputerKind({ live, strategy, lateness, patience, maxAhead }), from: 'earliest' },
      {
        kind: scorerKind({ live, topChannels: settings.SCORER_TOP_CHANNELS, incidents: incidentRules(settings) }),
        from: 'earliest',
      },
      { kind: sinkKind({ database }), from: 'earliest' },
      { kind: dashboardKind(feed), from: 'latest' },
    ],
  }
}

interface DemoOptions {
  readonly speed: number
  readonly series: number
  readonly maxWaiting: number
  readonly signal: AbortSignal
}

/** Plays the simulated fleet from the end of the history, so that a restart continues it. */
export async function playDemo (
  log: Log,
  database: Database,
  metrics: StepMetrics,
  { speed, series, maxWaiting, signal }: DemoOptions
): Promise<void> {
  const newest = Math.max(...(await database.fleet()).map(({ time }) => Date.parse(time)), 0)
  const start = newest === 0 ? defaultStart(Date.now()) : newest
  const keeper = new Keeper(log, metrics, maxWaiting)
  await startGenerator({
    speed,
    series,
    start,
    now: Date.now,
    signal,
    send: async (observations) => keeper.keep(observations, { receivedAt: Date.now() }),
  })
}
