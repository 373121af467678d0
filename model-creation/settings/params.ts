// The schema of params.yaml: one section for each stage, with every tunable number and its default.
import { readFile } from 'node:fs/promises'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../core/table/duration.ts'
import { Problem } from '../../core/errors.ts'
import { FIT_DEFAULTS } from '../../core/fitting/fit.ts'
import { SHORTEST_FILTERED } from '../../core/features/filters.ts'
import { ManifestSchema } from '../../core/package/manifest.ts'
import { SHEET_VALUES } from '../../core/sensitivity/sheet.ts'
import { type Architecture } from '../architectures/architecture.ts'
import { ARCHITECTURE_NAMES, type ArchitectureName, ARCHITECTURES } from '../architectures/index.ts'
import { isMeasure, MEASURE_NAMES } from '../architectures/measures.ts'
import { explainFault } from '../../adapters/settings/schema-faults.ts'

const count = z.number().int().positive()

const odd = count.refine((value) => value % 2 === 1, 'must be odd: the mean is centred')

const duration = z.string().refine((text) => {
  try {
    return parseDuration(text) > 0
  } catch {
    return false
  }
}, 'must be an ISO 8601 duration such as PT10M')

const auto = <T extends z.ZodType>(schema: T) => z.union([z.literal('auto'), schema]).default('auto' as never)

const rule = {
  quantile: z.number().gt(0).lte(1).default(FIT_DEFAULTS.batch.quantile),
}

const architectureSections = z.strictObject(Object.fromEntries(
  ARCHITECTURE_NAMES.map((name) => [name, ARCHITECTURES[name].parameters])
) as Record<ArchitectureName, Architecture['parameters']>)

const NO_SECTION = Object.fromEntries(ARCHITECTURE_NAMES.map((name) => [name, undefined])) as Record<
  ArchitectureName,
  undefined
>

/** The values of `train.architecture`. */
export const ARCHITECTURE_CHOICES = [...ARCHITECTURE_NAMES, 'ensemble'] as const

/** The kernel takes four values of a filter at a time, and stride and length of a window go together. */
const filterable = (length: number): boolean => length >= SHORTEST_FILTERED && length % 8 === 0

const MemberSchema = z.strictObject({
  architecture: z.enum([...ARCHITECTURE_NAMES, ...MEASURE_NAMES]),
  windowLength: count,
  tail: count,
  /** Exponent of the member's errors in the geometric mean; absent: 1. */
  weight: z.exactOptional(z.number().positive()),
}).refine(({ architecture, windowLength }) => architecture !== 'filters' || filterable(windowLength), {
  message: `must be a multiple of 8, at least ${SHORTEST_FILTERED}, for filters`,
  path: ['windowLength'],
})

export const ParamsSchema = z.strictObject({
  prepare: z.strictObject({
    /** ISO 8601 duration, or auto: detected from the data. */
    interval: z.literal('auto').or(duration).default('auto'),
    /** Earlier observations train, later ones test; null: all of them train. */
    trainUntil: z.iso.datetime({ offset: true, error: 'must be a time with its zone such as 2026-03-02T00:00:00Z' })
      .nullable().default(null),
    /**
     * How much of the test part is learnt on each side of a reported false alarm: enough for several windows and the
     * smoothing.
     */
    feedbackContext: duration.default('P1D'),
  }).prefault({}),
  train: z.strictObject({
    /** One architecture, or `ensemble`: several autoencoders whose errors are combined. */
    architecture: z.enum(ARCHITECTURE_CHOICES).default('ensemble'),
    /** Training on wasm gives the same digest on every machine; native is faster, but its digest differs by machine. */
    backend: z.enum(['wasm', 'native', 'cpu']).default('wasm'),
    seed: z.number().int().nonnegative().default(1),
    /** Only for a single architecture. */
    windowLength: auto(count),
    tail: auto(count),
    /** Only for the ensemble; auto: core/fitting/members.ts chooses by the number of channels. */
    members: auto(
      z.array(MemberSchema).min(1).refine(
        (members) => members.some(({ architecture }) => !isMeasure(architecture)),
        'need an autoencoder: filters and deviation expect no value'
      )
    ),
    maxGap: z.number().int().nonnegative().default(FIT_DEFAULTS.maxGap),
    maxWindows: count.min(2).default(FIT_DEFAULTS.maxWindows),
    folds: z.number().int().min(2).default(FIT_DEFAULTS.folds),
    switchWeight: z.number().nonnegative().default(FIT_DEFAULTS.switchWeight),
    constantWeight: z.number().nonnegative().default(FIT_DEFAULTS.constantWeight),
    /** Most values that the sensitivity sheet scores, by each scoring: it bounds the time. */
    sheetValues: count.default(SHEET_VALUES),
    causal: z.strictObject({
      ...rule,
      smoothing: auto(count),
      factor: auto(z.number().positive()),
      levelSpan: z.number().int().nonnegative().default(FIT_DEFAULTS.causal.levelSpan),
    }).prefault({}),
    batch: z.strictObject({
      ...rule,
      smoothing: auto(odd),
      factor: auto(z.number().positive()),
      levelSpan: z.literal(0).or(odd).default(FIT_DEFAULTS.batch.levelSpan),
    }).prefault({}),
    /** A section for every architecture; only the chosen ones count. */
    architectures: architectureSections.prefault(NO_SECTION),
  }).prefault({}),
  evaluate: z.strictObject({
    /** An anomaly that starts within this time after a label's end still counts for it (ISO 8601 duration). */
    tolerance: z.literal('PT0S').or(duration).default('PT0S'),
    minDuration: duration.nullable().default(null),
    mergeGap: duration.nullable().default(null),
  }).prefault({}),
  package: z.strictObject({
    name: ManifestSchema.shape.name.default('model'),
    version: ManifestSchema.shape.version.default('1'),
    description: z.string().default(''),
    /** Observations of the golden series. */
    goldenLength: count.default(200),
  }).prefault({}),
})

export type Params = z.output<typeof ParamsSchema>

/**
 * Validates parameters.
 * @param nameOf name of a parameter in messages, by its path
 * @throws Problem invalid-settings naming the parameter
 */
export function parseParams (
  value: unknown,
  where: string,
  nameOf = (path: readonly PropertyKey[]): string => path.join('.') || 'the document'
): Params {
  const result = ParamsSchema.safeParse(value, { error: explainFault })
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new Problem('invalid-settings', `${where}: ${nameOf(issue?.path ?? [])}: ${issue?.message}`, {
    cause: result.error,
  })
}

export async function readParams (path: string): Promise<Params> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Problem('invalid-settings', `${path} cannot be read.`, { cause })
  })
  try {
    return parseParams(parse(text) ?? {}, path)
  } catch (error) {
    if (error instanceof YAMLParseError) {
      throw new Problem('invalid-settings', `${path}: ${error.message.split('\n', 1)[0]}`, { cause: error })
    }
    throw error
  }
}
