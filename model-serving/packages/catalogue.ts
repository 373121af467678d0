// The versions that model names stand for at one moment, as plain data. Every request passes it to the worker threads,
// so that all threads answer alike and each answer comes from one version.
import { Problem } from '../../core/errors.ts'
import type { Alias } from '../../adapters/registry/records.ts'
import { AD_HOC } from './identity.ts'

/** A version of a model that requests can name. */
export interface VersionRef {
  readonly name: string
  readonly version: string
  readonly digest: string
}

/** A version that an alias stands for. Its package has been opened and proved. */
export interface ServedVersion extends VersionRef {
  readonly channels: readonly string[]
  /** Its answers are stale from this time on, in milliseconds since 1970; undefined: never. */
  readonly staleFrom?: number | undefined
  /** Whether its scores have drifted from those it was calibrated on. */
  readonly drifting?: boolean | undefined
}

export interface CatalogueModel {
  readonly name: string
  readonly live?: ServedVersion | undefined
  readonly shadow?: ServedVersion | undefined
  /** All versions that requests can name by number. */
  readonly versions: readonly VersionRef[]
}

export type Catalogue = readonly CatalogueModel[]

const REFERENCE = /^([^@]+)(?:@([^@]+))?$/

/**
 * The version that `name`, `name@live`, `name@shadow` or `name@3` stands for.
 * @throws Problem unknown-model, unknown-version
 */
export function resolve (catalogue: Catalogue, reference: string): VersionRef | ServedVersion {
  const [, name, wanted = 'live'] = REFERENCE.exec(reference) ?? []
  const model = catalogue.find((one) => one.name === name)
  if (model === undefined) throw unknownModel(catalogue, reference)
  const found = wanted === 'live' || wanted === 'shadow' ? model[wanted satisfies Alias] : versionOf(model, wanted)
  if (found !== undefined) return found
  const versions = model.versions.map(({ version }) => version)
  const problem = wanted === 'live' || wanted === 'shadow'
    ? `no version of "${model.name}" is ${wanted}`
    : `"${model.name}" has no version ${wanted.slice(0, 60)}`
  throw new Problem(
    'unknown-version',
    `${problem[0]!.toUpperCase()}${problem.slice(1)}; its versions are ${versions.slice(-20).join(', ')}.`,
    {
      items: [{ pointer: '/model', detail: 'not a version of the model', got: reference, want: versions.slice(-20) }],
      extensions: { versions },
    }
  )
}

/** Prefers the live or shadow version with that number: it has more members than a reference. */
function versionOf ({ live, shadow, versions }: CatalogueModel, wanted: string): VersionRef | undefined {
  return [live, shadow].find((one) => one?.version === wanted) ?? versions.find(({ version }) => version === wanted)
}

/**
 * The only live version whose channels are exactly these, in any order.
 * @returns undefined if there is none
 * @throws Problem model-required if there are several
 */
export function withChannels (catalogue: Catalogue, channels: readonly string[]): ServedVersion | undefined {
  const posted = new Set(channels)
  const matching = catalogue.flatMap(({ live }) =>
    live !== undefined && live.channels.length === posted.size && live.channels.every((channel) => posted.has(channel))
      ? [live]
      : []
  )
  if (matching.length <= 1) return matching[0]
  const names = matching.map(({ name }) => name)
  throw new Problem(
    'model-required',
    `Several served models have exactly the posted channels; name one as "model": ${names.join(', ')}. "${AD_HOC}" ` +
      'fits a model on the series itself.',
    { extensions: { models: names } }
  )
}

export function unknownModel (catalogue: Catalogue, name: string): Problem {
  const names = catalogue.map((model) => model.name)
  const known = names.length === 0 ? 'no model is served' : `the served models are ${names.join(', ')}`
  return new Problem(
    'unknown-model',
    `There is no model "${name}"; ${known}, and "${AD_HOC}" is fitted on the series itself.`,
    {
      items: [{ pointer: '/model', detail: 'not a served model', got: name, want: names }],
      extensions: { models: names },
    }
  )
}
