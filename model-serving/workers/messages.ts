// Messages between the pool and its threads.
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
  /** Most bytes of packages that the thread may have open. */
  readonly modelBytes: number
  /** Whether the thread reports scores to the service, which stores them. */
  readonly reportsScores: boolean
  readonly limits: ComputeLimits
}

export interface PoolTask {
  readonly task: ComputeTask
  /** JSON of the catalogue: a string is copied faster than objects, and parsed only if it is new. */
  readonly catalogue: string
  /** Grows with every change of the catalogue. */
  readonly epoch: number
  /** Packages of the shadow versions. */
  readonly shadows: readonly PackageBytes[]
  /** The package that the thread asked for. */
  readonly provided?: PackageBytes
}

/** The outcome of a request. If the thread lacks a package, it returns the body and asks for the package. */
export type PoolOutcome = Outcome | { readonly missing: VersionRef, readonly body: Uint8Array<ArrayBuffer> }

/** A package that has reproduced its golden scores. */
export interface Proved {
  readonly identity: ModelIdentity
  /** Engine of each member: `kernel`, or a backend of TensorFlow.js. */
  readonly engines: readonly string[]
}

export type ProofOutcome = { readonly proved: Proved } | { readonly failure: PlainFailure }

export interface DriftQuestion {
  readonly ref: VersionRef
  readonly scoring: Scoring
  readonly scores: Float32Array
}
