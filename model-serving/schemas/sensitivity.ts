// The sensitivity sheet on the wire: as in the manifest of a package, with a summary for people.
import { z } from 'zod'
import { SensitivitySchema } from '../../core/package/manifest.ts'
import type { SensitivitySheet } from '../../core/sensitivity/sheet.ts'
import { describeSensitivity } from '../../core/sensitivity/words.ts'

export const SensitivityAnswerSchema = SensitivitySchema.extend({
  summary: z.string().describe(
    'What is found at which size, what is not found, and how often normal data is reported, in plain words.'
  ),
}).describe(
  'What the model finds of anomalies that were injected into the last quarter of its training data, judged by a ' +
    'model that was fitted on the three quarters before.'
)
type SensitivityAnswer = z.output<typeof SensitivityAnswerSchema>

/** @param interval sampling interval in milliseconds */
export function describeSheet (sheet: SensitivitySheet, interval: number): SensitivityAnswer {
  return { summary: describeSensitivity(sheet, interval), ...sheet, findings: [...sheet.findings] }
}
