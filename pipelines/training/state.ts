// The results of the steps, in a file, so that each step can run in a process of its own. The file is also the report
// as JSON.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'

export const STEPS = ['pull', 'train', 'evaluate', 'publish'] as const
export type StepName = typeof STEPS[number]

const at = z.iso.datetime()
const scoring = z.object({
  found: z.int(),
  faults: z.int(),
  falseAnomaliesPerSeriesWeek: z.number(),
  f1: z.number().nullable(),
  vusPr: z.number().nullable(),
})

/** Output of model-creation/compare.ts. */
export const ComparisonSchema = z.object({
  seriesWeeks: z.number(),
  packages: z.array(z.object({ name: z.string(), digest: z.string(), batch: scoring, causal: scoring })).min(1),
})

const StateSchema = z.object({
  model: z.string(),
  registry: z.string(),
  pull: z.object({
    at,
    source: z.string(),
    /** DVC's md5 of the data; null if nothing pins them. */
    data: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
    /** Feedback of the registry: used statements, and dropped ones, which end before they begin. */
    feedback: z.object({ statements: z.int(), dropped: z.int() }),
  }).optional(),
  train: z.object({
    at,
    stages: z.array(z.object({ name: z.string(), ran: z.boolean() })),
    folder: z.string(),
    digest: z.string(),
  }).optional(),
  evaluate: z.object({
    at,
    live: z.object({ version: z.int(), digest: z.string() }).nullable(),
    comparison: ComparisonSchema,
    decision: z.object({
      verdict: z.enum(['promote', 'keep', 'same']),
      because: z.string(),
      clauses: z.array(z.object({ says: z.string(), holds: z.boolean(), because: z.string() })),
    }),
  }).optional(),
  publish: z.object({ at, version: z.int(), existed: z.boolean(), promoted: z.boolean(), pushed: z.boolean() })
    .optional(),
  failure: z.object({ step: z.enum(STEPS), at, message: z.string() }).optional(),
})

export type State = z.output<typeof StateSchema>

/** Undefined if the file does not exist. @throws Problem invalid-settings if the steps have not written it */
export async function readState (file: string): Promise<State | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Problem('invalid-settings', `${file} cannot be read.`, { cause: error })
  })
  if (text === undefined) return undefined
  try {
    return StateSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Problem(
      'invalid-settings',
      `${file} is not what a step of the retraining has written; remove it, and begin with "npm run retrain -- pull".`,
      { cause }
    )
  }
}

/** Writes the whole file or nothing. */
export async function writeState (file: string, state: State): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.writing`, `${JSON.stringify(StateSchema.parse(state), null, 2)}\n`)
  await rename(`${file}.writing`, file)
}

/** The results of the steps before this one. Later results are dropped, since this step makes them untrue. */
export function before (step: StepName, state: State): State {
  const { model, registry } = state
  const kept = STEPS.slice(0, STEPS.indexOf(step)).map((name) => [name, state[name]])
  return { model, registry, ...Object.fromEntries(kept.filter(([, done]) => done !== undefined)) }
}

/** The result of an earlier step. @throws Problem invalid-settings if it has not run */
export function needed<Name extends StepName> (state: State, name: Name): NonNullable<State[Name]> {
  const done = state[name]
  if (done !== undefined) return done as NonNullable<State[Name]>
  throw new Problem(
    'invalid-settings',
    `The step ${name} has not run, or a step before it has run again since; ` +
      `run "npm run retrain -- ${name}" first.`
  )
}
