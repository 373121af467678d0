// Media types and documents of POST /compute's answers that are not JSON.
import { z } from 'zod'

/** What POST /compute reads. */
export const BODY_TYPES = ['application/json', 'text/csv', 'multipart/form-data'] as const
export type BodyType = typeof BODY_TYPES[number]

/** What POST /compute can answer, the default first. */
export const ANSWER_TYPES = ['application/json', 'text/csv', 'image/svg+xml', 'image/png'] as const
export type AnswerType = typeof ANSWER_TYPES[number]

export const CsvAnswerSchema = z.string().describe(
  'One row an observation: timestamp, score, isAnomaly, imputed (the channels whose value was filled before scoring, separated by `;`), then `<part>_<channel>` for each ' +
    'included part; empty where not scored, or nothing was filled.'
)
export const SvgAnswerSchema = z.string().describe(
  'A plot: scores, contributions, and each channel with its expected band.'
)
export const PngAnswerSchema = z.string().describe('The same plot as pixels.').meta({ contentMediaType: 'image/png' })
export const HtmlAnswerSchema = z.string()
