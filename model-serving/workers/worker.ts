// A thread that scores. It answers one request of workers/pool.ts after another, and opens models when requests need
// them.
import { parentPort, workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type DriftVerdict, driftVerdict } from '../../core/verdicts/drift.ts'
import { TENSORFLOW_VERSION } from '../../adapters/tfjs/model-package.ts'
import { answerRequest } from '../compute/answer-request.ts'
import type { Computed } from '../compute/compute.ts'
import type { ComputeTask, WorkerReport } from '../compute/messages/messages.ts'
import { type PlainFailure, plainFailure } from '../compute/messages/plain-failure.ts'
import { readRequest } from '../compute/read/read-request.ts'
import { ShadowRunner } from '../compute/shadow-runner.ts'
import { tableOf } from '../compute/training-table.ts'
import type { Catalogue } from '../packages/catalogue.ts'
import type { openPackage } from '../packages/open-package.ts'
import { type PackageBytes, PackageMissing, ResidentModels } from '../packages/resident-models.ts'
import type { DriftQuestion, PoolOutcome, PoolTask, ProofOutcome, WorkerSettings } from './messages.ts'

const { opener, backend, modelBytes, reportsScores, limits } = workerData as WorkerSettings
// Awaited here, so that the thread gets its first request when it is ready.
const source = await import(opener) as { openPackage: typeof openPackage }
const models = new ResidentModels({ open: source.openPackage, backend, budget: modelBytes })
const shadows = new ShadowRunner(models, limits, send)
let followed = ''

function send (report: WorkerReport): void {
  parentPort?.postMessage(report)
}

/** Answers when the thread is ready. @returns the version of TensorFlow.js, without loading it */
export function describe (): string {
  return TENSORFLOW_VERSION
}

/** Opens a package and proves it. */
export async function prove (packageBytes: PackageBytes): Promise<ProofOutcome> {
  try {
    const { manifest, digest, goldenDifference, engines } = await models.add(packageBytes)
    return { proved: { identity: { manifest, version: packageBytes.version, digest, goldenDifference }, engines } }
  } catch (error) {
    return { failure: plainFailure(error) }
  }
}

/** Opens a package of unknown origin, proves it and closes it. */
export async function examine (
  { where, bytes }: { where: string, bytes: Uint8Array }
): Promise<{ failure: PlainFailure } | undefined> {
  return settled(async () => {
    const model = await source.openPackage(where, bytes, backend)
    model.dispose()
    return undefined
  })
}

/** A posted series as a table. */
export async function table (task: ComputeTask): Promise<{ failure: PlainFailure } | Uint8Array | undefined> {
  return settled(async () => tableOf(await readRequest(task, limits), limits))
}

async function settled<T> (work: () => Promise<T>): Promise<T | { failure: PlainFailure }> {
  return work().catch((error: unknown) => ({ failure: plainFailure(error) }))
}

/** @returns undefined if this thread does not have the version open */
export async function drift ({ ref, scoring, scores }: DriftQuestion): Promise<DriftVerdict | undefined> {
  const model = await models.get(`${ref.name}@${ref.version}`).catch(() => undefined)
  return model?.digest === ref.digest
    ? driftVerdict(model.manifest.detector[scoring].scores, Float64Array.from(scores))
    : undefined
}

/** The bytes of the answers are transferred, not copied. */
export default async function answer (
  { task, catalogue, epoch, shadows: shadowPackages, provided }: PoolTask
): Promise<PoolOutcome | object> {
  try {
    follow(catalogue, epoch)
    if (provided !== undefined) await models.add(provided)
    const outcome = await answerRequest(models, limits, task, (computed) => {
      if (reportsScores) sendScores(computed)
      shadows.run(computed, shadowPackages)
    })
    return 'failure' in outcome ? outcome : handedOver(outcome, outcome.answered.bodies)
  } catch (error) {
    if (!(error instanceof PackageMissing)) return { failure: plainFailure(error) }
    const body = task.body as Uint8Array<ArrayBuffer>
    return handedOver({ missing: error.ref, body }, [body])
  }
}

function handedOver (outcome: PoolOutcome, bodies: ReadonlyArray<Uint8Array<ArrayBuffer>>): object {
  const transferred = { [transferableSymbol]: bodies.map(({ buffer }) => buffer), [valueSymbol]: outcome }
  return move(transferred as unknown as Parameters<typeof move>[0])
}

function follow (catalogue: string, epoch: number): void {
  if (catalogue === followed) return
  models.follow(JSON.parse(catalogue) as Catalogue, epoch)
  followed = catalogue
}

/** Reports scores of models in the catalogue. Ad-hoc models and made-up times are left out. */
function sendScores ({ ref, input, series, detection }: Computed): void {
  if (ref === undefined || input.numbered) return
  send({
    kind: 'scores',
    ref,
    scoring: input.options.scoring,
    start: series.start,
    interval: series.interval,
    scores: Float32Array.from(detection.score),
  })
}
