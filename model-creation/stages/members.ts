// The autoencoders that the parameters ask for: one architecture, or an ensemble of several.
import { type MemberSettings, type MemberToFit } from '../../core/fitting/fit.ts'
import { defaultMembers, defaultTail, defaultWindowLength } from '../../core/fitting/members.ts'
import { type Series } from '../../core/series/series.ts'
import { type LearningContext, type TrainedMember } from '../architectures/architecture.ts'
import { type ArchitectureName, ARCHITECTURES } from '../architectures/index.ts'
import { isMeasure, type MeasureName, MEASURES } from '../architectures/measures.ts'
import { type Params } from '../settings/params.ts'

/** One member as params.yaml names it. */
export interface NamedMember extends MemberSettings {
  readonly architecture: ArchitectureName | MeasureName
}

/** The members for these training series, which also determine the lengths that are `auto`. */
export function membersOf (
  { architecture, windowLength, tail, members }: Params['train'],
  series: readonly Series[]
): NamedMember[] {
  const observations = Math.max(...series.map(({ length }) => length))
  const channels = series[0]!.channels.length
  if (architecture === 'ensemble') return members === 'auto' ? defaultMembers(observations, channels) : members
  const length = windowLength === 'auto' ? defaultWindowLength(observations, channels) : windowLength
  return [{ architecture, windowLength: length, tail: tail === 'auto' ? defaultTail(length) : Math.min(tail, length) }]
}

/** Adds to each member the learner of its architecture, with the parameters of its section. */
export function toFit (
  members: readonly NamedMember[],
  { architectures }: Params['train'],
  context: LearningContext
): Array<MemberToFit<TrainedMember>> {
  return members.map(({ architecture, ...settings }) => ({
    ...settings,
    learn: isMeasure(architecture)
      ? MEASURES[architecture]
      : ARCHITECTURES[architecture].learner(architectures[architecture], context),
  }))
}
