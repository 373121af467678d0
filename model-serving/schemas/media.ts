// Media types of POST /compute, and the schemas of its answers other than JSON.
import { z } from 'zod'

/** Media types that POST /compute reads. */
export const BODY_TYPES = ['application/json', 'text/csv', 'multipart/form-data'] as const
export type BodyType = typeof BODY_TYPES[number]

/** Media types that POST /compute answers, the default first. */
export const ANSWER_TYPES = ['application/json', 'text/csv', 'image/svg+xml', 'image/png'] as const
export type AnswerType = typeof ANSWER_TYPES[number]

export const CsvAnswerSchema = z.string().describe(
  'One row per observation. Columns: `timestamp`, `score`, `isAnomaly`, `imputed` (channels whose missing value was ' +
    'filled before scoring, separated by `;`), then `<part>_<channel>` for each included part. Cells are empty if ' +
    'not scored or nothing was filled.'
)
export const SvgAnswerSchema = z.string().describe(
  'A plot of the scores, the contributions, and each channel with its expected band.'
)
export const PngAnswerSchema = z.string().describe('The same plot as a PNG image.').meta({
  contentMediaType: 'image/png',
})
export const HtmlAnswerSchema = z.string()
