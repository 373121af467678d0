// The sensitivity sheet in one plain sentence or three: what the model card, the API and the command line say.
import type { Scoring } from '../scoring/detection.ts'
import type { InjectedKind } from './inject.ts'
import type { SensitivityFinding, SensitivitySheet } from './sheet.ts'
import { durationInWords } from '../verdicts/words.ts'

/** A kind is found at the smallest size at which this share is. */
const MOST_OF = 0.9
/** A channel is blind to a kind if less than this share is found at the largest size. */
const BLIND_BELOW = 0.5
const MOST_NAMES = 3

const NOUNS: Readonly<Record<InjectedKind, (size: string, time: string) => string>> = {
  spike: (size) => `a spike of ${size}`,
  level: (size, time) => `a level of ${size} over ${time}`,
  drift: (size, time) => `a drift by ${size} over ${time}`,
  noise: (size, time) => `noise of ${size} over ${time}`,
  quiet: (_, time) => `a value frozen for ${time}`,
  'missing-cycle': (_, time) => `a missing cycle of ${time}`,
  swap: (_, time) => `two channels exchanged for ${time}`,
  break: (_, time) => `a channel from another time for ${time}`,
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

function shareOf (findings: readonly SensitivityFinding[], scoring: Scoring): number {
  const injected = findings.reduce((sum, one) => sum + one.injected, 0)
  return findings.reduce((sum, one) => sum + one.injected * one[scoring].found, 0) / injected
}

function namesOf (names: readonly string[]): string {
  const more = names.length - MOST_NAMES
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ')
}

function nounOf ({ kind, size, length }: SensitivityFinding, interval: number): string {
  return NOUNS[kind](`${size} σ`, durationInWords(length * interval))
}

function grouped (
  findings: readonly SensitivityFinding[],
  keyOf: (finding: SensitivityFinding) => string
): SensitivityFinding[][] {
  const groups = new Map<string, SensitivityFinding[]>()
  for (const finding of findings) groups.set(keyOf(finding), [...groups.get(keyOf(finding)) ?? [], finding])
  return [...groups.values()]
}

/** Findings of one kind, by size and length; each entry holds all channels. */
function bySize (findings: readonly SensitivityFinding[]): SensitivityFinding[][] {
  return grouped(findings, ({ size, length }) => `${size}/${length}`)
    .sort(([a], [b]) => a!.size! - b!.size! || a!.length - b!.length)
}

/** What is said of one kind. */
interface Said {
  readonly found: string | undefined
  readonly blind: string | undefined
}

function sayKind (findings: readonly SensitivityFinding[], interval: number): Said {
  // Cycles of different lengths belong to different channels: each channel has its own largest size.
  const largest = grouped(findings, ({ channel }) => channel).map((own) => bySize(own).at(-1)![0]!)
  const blind = largest.filter((one) => one.batch.found < BLIND_BELOW && one.causal.found < BLIND_BELOW)
  const blindNames = blind.map(({ channel }) => channel)
  const noun = (one: SensitivityFinding): string => nounOf(one, interval)
  if (blind.length === largest.length) return { found: undefined, blind: noun(bySize(findings).at(-1)![0]!) }
  const able = bySize(findings.filter(({ channel }) => !blindNames.includes(channel)))
  const chosen = able.find((group) => shareOf(group, 'batch') >= MOST_OF) ?? able.at(-1)!
  const [batch, causal] = (['batch', 'causal'] as const).map((scoring) => percent(shareOf(chosen, scoring)))
  const shares = batch === causal ? batch! : `${batch} (causal ${causal})`
  return {
    found: `${noun(chosen[0]!)} in ${shares}`,
    blind: blind.length === 0 ? undefined : `${noun(blind[0]!)} in ${namesOf(blindNames)}`,
  }
}

/**
 * What the sheet says, for people: for each kind the smallest size of which most is found, and what is not found.
 * @param interval sampling interval in milliseconds
 * @example
 * const finding = { channel: 'kw', kind: 'spike', size: 4, length: 1, injected: 10 }
 * const findings = [{ ...finding, batch: { found: 1, named: 1 }, causal: { found: 0.9, named: 0.9 } }]
 * describeSensitivity({ observations: 500, falseAlarms: { batch: 0, causal: 0 }, findings }, 60_000)
 * // 'Finds in kw a spike of 4 σ in 100 % (causal 90 %). 0 false anomalies per 1,000 observations.'
 */
export function describeSensitivity (sheet: SensitivitySheet, interval: number): string {
  const { observations, falseAlarms, findings } = sheet
  if (observations === 0) return 'Not measured: the training part is too short to hold a quarter of it out.'
  const said = grouped(findings, ({ kind }) => kind).map((kind) => sayKind(kind, interval))
  const [found, blind] = [said.flatMap((one) => one.found ?? []), said.flatMap((one) => one.blind ?? [])]
  const channels = new Set(findings.map(({ channel }) => channel))
  const where = channels.size === 1 ? ` in ${[...channels][0]}` : ''
  const alarms = falseAlarms.batch === falseAlarms.causal
    ? `${falseAlarms.batch} false anomalies per 1,000 observations.`
    : `${falseAlarms.batch} false anomalies per 1,000 observations (causal ${falseAlarms.causal}).`
  return [
    ...found.length === 0 ? [] : [`Finds${where} ${found.join(', ')}.`],
    ...blind.length === 0 ? [] : [`Blind to ${blind.join('; ')}.`],
    ...findings.length === 0 ? ['No place was normal enough to inject an anomaly.'] : [],
    alarms,
  ].join(' ')
}
