// The life of models in one service: put together for the routes, and taken apart when it ends.
import type { FastifyBaseLogger } from 'fastify'
import { openStore } from '../../core/registry/open-store.ts'
import { Registry } from '../../core/registry/registry.ts'
import type { RegistryStore } from '../../core/registry/store.ts'
import type { Config } from '../config.ts'
import { Jobs } from '../jobs/jobs.ts'
import { Metrics } from '../metrics.ts'
import type { Told } from '../workers/messages.ts'
import type { Scorer } from '../workers/scorer.ts'
import { Follower } from './follower.ts'
import { folderSupply } from './folder-supply.ts'
import type { PackageShelf } from './package-shelf.ts'
import { registrySupply } from './registry-supply.ts'
import { ScoreHistory } from './score-history.ts'
import type { ServedModels } from './served-models.ts'
import { ShadowTally } from './shadow-tally.ts'
import type { Supply } from './supply.ts'

/** The registry that is followed, and where it keeps its objects. */
export interface OpenRegistry {
  readonly registry: Registry
  readonly store: RegistryStore
}

export interface Sources {
  readonly supplies: readonly Supply[]
  readonly registry: OpenRegistry | undefined
}

/** Where the settings say that models come from. @throws Problem invalid-settings */
export async function openSources ({ modelsDir, registry: { location, access } }: Pick<Config, 'modelsDir' | 'registry'>): Promise<Sources> {
  const supplies: Supply[] = modelsDir === undefined ? [] : [folderSupply(modelsDir)]
  if (location === undefined) return { supplies, registry: undefined }
  const store = await openStore('MODEL_REGISTRY', location, access)
  const registry = new Registry(store, Date.now)
  return { supplies: [...supplies, registrySupply(registry)], registry: { registry, store } }
}

export interface ModelSideOptions extends Sources {
  readonly config: Config
  readonly models: ServedModels
  readonly shelf: PackageShelf
  readonly scorer: Scorer
  readonly log: FastifyBaseLogger
}

export class ModelSide {
  readonly models: ServedModels
  readonly registry: OpenRegistry | undefined
  readonly tally = new ShadowTally()
  readonly metrics: Metrics
  readonly follower: Follower
  readonly history: ScoreHistory | undefined
  readonly jobs: Jobs | undefined
  #tfjs = ''

  constructor ({ config, models, shelf, scorer, log, supplies, registry }: ModelSideOptions) {
    this.models = models
    this.registry = registry
    this.metrics = new Metrics(models, this.tally)
    this.follower = new Follower({ supplies, models, shelf, scorer, pollMs: config.registry.pollMs, tfjs: () => this.#tfjs, log, events: this.metrics })
    if (registry === undefined) return
    if (config.registry.keepsScores) this.history = new ScoreHistory({ store: registry.store, models, scorer, log })
    this.jobs = new Jobs({ registry: registry.registry, follower: this.follower, config, log })
  }

  /** What threads tell besides their answers. */
  hear (told: Told): void {
    if (told.kind === 'scores') this.history?.add(told)
    else this.tally.add(told)
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
