// Everything that loads, watches and trains the models of a service: opened for the routes, closed with the app.
import type { FastifyBaseLogger } from 'fastify'
import { openStore } from '../../adapters/registry/open-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import type { RegistryStore } from '../../adapters/registry/store.ts'
import type { Config } from '../settings/config.ts'
import { Jobs } from '../jobs/jobs.ts'
import type { WorkerReport } from '../compute/messages/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import { folderSource } from '../packages/folder-source.ts'
import type { PackageCache } from '../packages/package-cache.ts'
import { registrySource } from '../packages/registry-source.ts'
import type { ServedModels } from '../packages/served-models.ts'
import type { ModelSource } from '../packages/model-source.ts'
import { Follower, type FollowerEvents } from './follower.ts'
import { ScoreHistory } from './score-history.ts'
import type { ShadowTally } from './shadow-tally.ts'

/** The registry that is followed, and the store of its objects. */
export interface OpenRegistry {
  readonly registry: Registry
  readonly store: RegistryStore
}

export interface Sources {
  readonly sources: readonly ModelSource[]
  readonly registry: OpenRegistry | undefined
}

/** Opens the folder and registry of the settings. @throws Problem invalid-settings */
export async function openSources (
  { modelsDir, registry: { location, access } }: Pick<Config, 'modelsDir' | 'registry'>
): Promise<Sources> {
  const sources: ModelSource[] = modelsDir === undefined ? [] : [folderSource(modelsDir)]
  if (location === undefined) return { sources, registry: undefined }
  const store = await openStore('MODEL_REGISTRY', location, access)
  const registry = new Registry(store, Date.now)
  return { sources: [...sources, registrySource(registry)], registry: { registry, store } }
}

export interface ModelLifecycleOptions extends Sources {
  readonly config: Config
  readonly models: ServedModels
  readonly packageCache: PackageCache
  readonly scorer: Scorer
  readonly log: FastifyBaseLogger
  readonly tally: ShadowTally
  /** Called when a version becomes live or is refused. */
  readonly events: FollowerEvents
}

export class ModelLifecycle {
  readonly models: ServedModels
  readonly registry: OpenRegistry | undefined
  readonly tally: ShadowTally
  readonly follower: Follower
  readonly history: ScoreHistory | undefined
  readonly jobs: Jobs | undefined
  #tfjs = ''

  constructor ({ config, models, packageCache, scorer, log, tally, events, sources, registry }: ModelLifecycleOptions) {
    this.models = models
    this.registry = registry
    this.tally = tally
    this.follower = new Follower({
      sources,
      models,
      packageCache,
      scorer,
      pollMs: config.registry.pollMs,
      tfjs: () => this.#tfjs,
      log,
      events,
    })
    if (registry === undefined) return
    if (config.registry.keepsScores) this.history = new ScoreHistory({ store: registry.store, models, scorer, log })
    this.jobs = new Jobs({ registry: registry.registry, refresh: async () => this.follower.refresh(), config, log })
  }

  /** Takes a report of a worker thread. */
  receive (report: WorkerReport): void {
    if (report.kind === 'scores') this.history?.add(report)
    else this.tally.add(report)
  }

  /** @param tfjs version of TensorFlow.js @throws Problem of a package that cannot be used */
  async start (tfjs: string): Promise<void> {
    this.#tfjs = tfjs
    await this.follower.start()
  }

  async close (): Promise<void> {
    await this.jobs?.close()
    await this.history?.close()
    await this.follower.close()
  }
}
