// A model for one request: fitted on the posted series, then discarded.
import { createHash } from 'node:crypto'
import { type AdHocDetector, fitAdHoc } from '../../core/fitting/ad-hoc.ts'
import { pointer, Problem } from '../../core/errors.ts'
import { isAnomalous } from '../../core/scoring/threshold.ts'
import { judgeOf } from '../../core/sensitivity/judge.ts'
import { measureSensitivity, type SensitivitySheet } from '../../core/sensitivity/sheet.ts'
import { type Series, slice } from '../../core/series/series.ts'
import { canonicalJson } from '../../adapters/tfjs/saved-models.ts'
import { AD_HOC } from '../packages/identity.ts'
import type { ModelInUse } from './answer/answer.ts'
import { noticesOf } from './notices.ts'
import type { ComputeOptions, FitPart } from './read/options.ts'

/** @throws Problem invalid-request, series-too-long, or a problem of fitAdHoc() */
export async function adHocModel (
  series: Series,
  { fit, include, scoring, numbered }: Pick<ComputeOptions, 'fit' | 'include' | 'scoring'> & { numbered: boolean },
  maxFitValues: number
): Promise<ModelInUse> {
  const part = fit === undefined ? undefined : { rows: rowsOf(fit, series) }
  const values = (part?.rows ?? series.length) * series.channels.length
  if (values > maxFitValues) {
    const limit = Math.floor(maxFitValues / series.channels.length)
    throw new Problem(
      'series-too-long',
      `A model is fitted on at most ${maxFitValues} values, that is ${limit} observations of ` +
        `${series.channels.length} channels; send fewer, fit on a part (options.fit), name a served model, or raise ` +
        'AD_HOC_MAX_VALUES.',
      { extensions: { limit, got: values / series.channels.length } }
    )
  }
  const fitted = await fitAdHoc(series, { ...part, scoring })
  const { model, autoencoders } = fitted
  return {
    identity: { name: AD_HOC, version: '1', digest: digestOf({ model, autoencoders }), architecture: 'ensemble' },
    detector: model,
    autoencoders,
    sensitivity: include.has('sensitivity') ? await measure(series, part) : undefined,
    notices: noticesOf(fitted, numbered),
  }
}

/** Without a part that is known to be normal, what the model itself calls anomalous is left out. */
async function measure (
  series: Series,
  part: { readonly rows: number } | undefined
): Promise<SensitivitySheet> {
  if (part !== undefined) {
    return measureSensitivity([slice(series, 0, part.rows)], async ([seen]) => fitAdHoc(seen!, { rows: seen!.length }))
  }
  const { model, autoencoders } = await fitAdHoc(series, { scoring: 'batch' })
  const { score } = judgeOf(model, autoencoders).detect('batch', series)
  const doubtful = Uint8Array.from(score, (value) => isAnomalous(value) ? 1 : 0)
  return measureSensitivity([series], async ([seen]) => fitAdHoc(seen!), { doubtful: [doubtful] })
}

/** Covers everything that scores depend on, as the digest of a model package does. */
function digestOf ({ model, autoencoders }: Pick<AdHocDetector, 'model' | 'autoencoders'>): string {
  const hash = createHash('sha256').update(canonicalJson(model))
  for (const { weights } of autoencoders) {
    for (const values of weights) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return `sha256:${hash.digest('hex')}`
}

/** Number of observations to fit on. */
function rowsOf ({ rows, until, at }: FitPart, series: Series): number {
  const found = rows ?? Math.ceil((until! - series.start) / series.interval)
  if (found >= 1 && found <= series.length) return found
  throw new Problem(
    'invalid-request',
    `The part to fit on has ${Math.max(0, found)} observations, the series has ${series.length}; choose a part of ` +
      'the series, or leave options.fit out.',
    {
      items: [{
        pointer: pointer(...at),
        detail: 'not a part of the series',
        got: found,
        want: `1 to ${series.length} observations`,
      }],
    }
  )
}
