// What the pool and its threads say to each other.
import type { Scoring } from '../../core/scoring/detection.ts'
import type { ComputeTask, Outcome } from '../compute/messages/messages.ts'
import type { PlainFailure } from '../compute/messages/plain-failure.ts'
import type { ComputeLimits, Config } from '../settings/config.ts'
import type { VersionRef } from '../packages/catalogue.ts'
import type { ModelIdentity } from '../packages/identity.ts'
import type { PackageBytes } from '../packages/resident-models.ts'

export interface WorkerSettings {
  /** URL of a module that exports `openPackage`. */
  readonly opener: string
  readonly backend: Config['backend']
  /** Bytes of packages that the thread may have open. */
  readonly modelBytes: number
  /** Whether scores are told to the service, which keeps them. */
  readonly tellsScores: boolean
  readonly limits: ComputeLimits
}

export interface PoolTask {
  readonly task: ComputeTask
  /** JSON of the catalogue: a string is copied quicker than what it says, and is read only where it is new. */
  readonly catalogue: string
  /** Grows with every change of the catalogue. */
  readonly epoch: number
  /** Packages that score the same traffic. */
  readonly shadows: readonly PackageBytes[]
  /** The one that the thread asked for. */
  readonly provided?: PackageBytes
}

/** What became of a request: it may also need a package that the thread does not have, and gives the body back. */
export type PoolOutcome = Outcome | { readonly missing: VersionRef, readonly body: Uint8Array<ArrayBuffer> }

/** A package that was opened and has reproduced its golden scores. */
export interface Proved {
  readonly identity: ModelIdentity
  /** What runs its members: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
}

export type ProofOutcome = { readonly proved: Proved } | { readonly failure: PlainFailure }

export interface DriftQuestion {
  readonly ref: VersionRef
  readonly scoring: Scoring
  readonly scores: Float32Array
}
