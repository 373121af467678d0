// One plain sentence about an anomaly, by its kind.
import type { Stillness } from '../evidence/stillness.ts'
import type { ChannelAccount } from './account.ts'
import type { Kind } from './kinds.ts'
import { durationInWords, placeInCycle, sensible, shortName } from './words.ts'

/** Longest sentence, in characters. */
const LONGEST = 140

/** A band narrower than this share of the departure is as good as none. */
const LEAST_BAND = 1e-3

/** All that a sentence may say. */
export interface Facts {
  readonly kind: Kind
  /** Name of the channel. */
  readonly channel: string
  /** Observations from the first to the last of the anomaly. */
  readonly length: number
  /** Sampling interval in milliseconds. */
  readonly interval: number
  /** Whether times are made up. */
  readonly numbered: boolean
  /** Rows on which the channel contributes most. */
  readonly account?: ChannelAccount
  /** What usually lies between a value and the expected one. */
  readonly margin?: number
  /** Observations in a cycle; 1: no season. */
  readonly period?: number
  /** Whether the channel did not vary. */
  readonly constant?: boolean
  readonly stillness?: Stillness | null
  /** Channel that this one usually follows. */
  readonly partner?: string | undefined
  /** Equal observations that came before the anomaly. */
  readonly delay?: number
}

/**
 * The sentence: one line of at most 140 characters that names the channel.
 * @example
 * const facts = { channel: 'temp_c', length: 125, interval: 60_000, numbered: false }
 * sentenceOf({ ...facts, kind: 'pattern' }) // 'temp_c: unusual shape for 2 h 5 min'
 * sentenceOf({ ...facts, kind: 'pattern', numbered: true }) // 'temp_c: unusual shape for 125 observations'
 */
export function sentenceOf (facts: Facts): string {
  const sentence = SENTENCES[facts.kind](facts)
  return sentence.length <= LONGEST ? sentence : `${sentence.slice(0, LONGEST - 1)}…`
}

const SENTENCES: Record<Kind, (facts: Facts) => string> = {
  spike: (facts) => `${start(facts)} ${departure(facts) ?? 'unusual value'}`,
  level: (facts) => `${start(facts)} ${departure(facts) ?? `unusual level for ${evident(facts)}`}`,
  variance: (facts) => {
    const example = pairOf(facts, false)
    const text = `${start(facts)} varies more than usual for ${evident(facts)}`
    return example === undefined ? text : `${text}, for example ${example.value} where ${example.expected} is expected`
  },
  seasonal: (facts) => {
    const pair = pairOf(facts, isLong(facts))
    if (pair === undefined) return `${start(facts)} unusual for the time`
    const { account, period, interval, numbered } = facts
    const { at, then } = numbered
      ? { at: '', then: `at this point of its cycle of ${Math.round(period!)} observations` }
      : placeInCycle(account!.top.time, period! * interval, interval)
    const when = at === '' || isLong(facts) ? '' : ` ${at}`
    return `${start(facts)} ${pair.value}${when}, usually ${pair.expected} ${then}`
  },
  quiet: quietSentence,
  relation: (facts) => {
    const pair = pairOf(facts, isLong(facts))
    const others = facts.partner === undefined ? 'the other channels' : shortName(facts.partner)
    const text = `${shortName(facts.channel)} does not follow ${others}`
    return pair === undefined ? text : `${text}: ${pair.value}, expected ${pair.expected}`
  },
  pattern: (facts) => `${start(facts)} unusual shape${facts.length > 1 ? ` for ${lasting(facts)}` : ''}`,
}

const start = ({ channel }: Facts): string => `${shortName(channel)}:`

/** A duration; a number of observations if times are made up. */
function lasting ({ length, interval, numbered }: Pick<Facts, 'length' | 'interval' | 'numbered'>): string {
  return numbered ? `${length} observation${length === 1 ? '' : 's'}` : durationInWords(length * interval)
}

/** How long the evidence of the channel itself lasts. */
function evident (facts: Facts): string {
  const { account, interval } = facts
  return lasting({ ...facts, length: Math.round((account!.to - account!.from) / interval) + 1 })
}

/** Whether a mean says more than one value. */
const isLong = ({ account }: Facts): boolean => account!.rows > 4 && account!.known > 1

/** Value and expectation of a spike or a level; undefined without a value. */
function departure (facts: Facts): string | undefined {
  const pair = pairOf(facts, facts.kind === 'level' && isLong(facts))
  if (pair === undefined) return undefined
  return `${facts.kind === 'spike' ? 'value ' : ''}${pair.value}, ` +
    `${facts.constant === true ? 'usually' : 'expected'} ${pair.expected}`
}

/**
 * Value and expectation in words, the margin with it where the value lies beyond it.
 * @param mean of the rows, or else the row with the highest score
 */
function pairOf (facts: Facts, mean: boolean): { value: string, expected: string } | undefined {
  const pair = numbersOf(facts.account!, mean)
  if (pair === undefined) return undefined
  const { margin = NaN, constant } = facts
  const difference = pair.value - pair.expected
  const size = Math.abs(difference)
  const isBeyond = constant !== true && margin > LEAST_BAND * size && margin < size
  const band = isBeyond ? ` ± ${Number(margin.toPrecision(2))}` : ''
  const value = sensible(pair.value, difference)
  return {
    value: mean ? `mean ${value} over ${evident(facts)}` : value,
    expected: `${sensible(pair.expected, difference)}${band}`,
  }
}

function numbersOf (account: ChannelAccount, mean: boolean): { value: number, expected: number } | undefined {
  const value = mean ? account.value.sum / account.known : account.top.value
  const expected = mean ? account.expected.sum / account.known : account.top.expected
  return value === null || expected === null || !Number.isFinite(value - expected) ? undefined : { value, expected }
}

function quietSentence (facts: Facts): string {
  const { account, stillness, interval, numbered, delay = 0 } = facts
  const { unchanged, rows } = account!
  if (stillness == null || 2 * unchanged < rows) {
    const step = stillness?.usualStep ?? 0
    const usual = step > 0 ? `, its usual step is ${sensible(step, step)}` : ''
    return `${start(facts)} hardly changes for ${evident(facts)}${usual}`
  }
  const time = lasting({ length: unchanged + delay, interval, numbered })
  const most = lasting({ length: Math.floor(stillness.frozenAfter), interval, numbered })
  return `${start(facts)} unchanged for ${time}, usually at most ${most}`
}
