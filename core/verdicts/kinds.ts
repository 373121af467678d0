// The kind of an anomaly, from what its rows speak for.
import { SPANS } from '../evidence/model.ts'
import { type ChannelAccount, type Ground, GROUNDS } from './account.ts'

/** Kinds of anomalies. */
export const KINDS = ['spike', 'level', 'variance', 'seasonal', 'quiet', 'relation', 'pattern'] as const
export type Kind = typeof KINDS[number]

/** An anomaly that lasts more cycles than this is not odd for the time of its cycle. */
const LONGEST_ODD = 1.5
/** A cycle that no calendar knows is odd only if at least this share of it is; less is a spike or a level. */
const LEAST_ODD = 0.5
const DAY = 86_400_000
/** The members' evidence counts with this share beside that of the channel, which tells more. */
const PATTERN_SHARE = 0.2
/** Evidence on both sides of the expected value: the smaller side has this share. */
const BOTH_SIDES = 0.25

/**
 * The kind that most of the evidence speaks for.
 * @param cycle of the channel: observations, 1 for no season, and the sampling interval in milliseconds
 * @example
 * const sums = { sum: 0, squares: 0 }
 * const account = { rows: 9, known: 9, value: sums, expected: sums, weights: [9, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0] }
 * kindOf(account, { period: 1, interval: 60_000 }) // 'level'
 * kindOf({ ...account, rows: 1 }, { period: 1, interval: 60_000 }) // 'spike'
 */
export function kindOf (
  account: Pick<ChannelAccount, 'rows' | 'weights' | 'known' | 'value' | 'expected'>,
  { period, interval }: { readonly period: number, readonly interval: number }
): Kind {
  const { rows, weights } = account
  const on = (ground: Ground): number => weights[GROUNDS.indexOf(ground)]!
  const least = period * interval % DAY === 0 ? 0 : LEAST_ODD * period
  const isOdd = rows >= least && rows <= LONGEST_ODD * period
  const side = (name: 'above' | 'below'): number =>
    on(`point ${name}`) + on(`mean ${name}`) + on(`power ${name}`) + (isOdd ? 0 : on(`season ${name}`))
  const [above, below] = [side('above'), side('below')]
  const departing = rows < SPANS[0] ? 'spike' : departingAs(account, above, below)
  const votes: Record<Kind, number> = {
    spike: 0,
    level: 0,
    variance: 0,
    seasonal: isOdd ? on('season above') + on('season below') : 0,
    quiet: on('still'),
    relation: on('relation'),
    pattern: rows === 0 ? on('pattern') : PATTERN_SHARE * on('pattern'),
  }
  votes[departing] += above + below
  return KINDS.reduce((most, kind) => votes[kind] > votes[most] ? kind : most)
}

type Departing = Pick<ChannelAccount, 'weights' | 'known' | 'value' | 'expected'>

/** The kind of departures from the expected value that last. */
function departingAs (account: Departing, above: number, below: number): 'level' | 'variance' | 'pattern' {
  if (Math.min(above, below) < BOTH_SIDES * (above + below)) return 'level'
  const on = (ground: Ground): number => account.weights[GROUNDS.indexOf(ground)]!
  const wild = on('point above') + on('point below') + on('power above') + on('power below')
  const isWilder = wild > (above + below) / 2 && varianceOf(account, 'value') > varianceOf(account, 'expected')
  return isWilder ? 'variance' : 'pattern'
}

function varianceOf (account: Departing, of: 'value' | 'expected'): number {
  const mean = account[of].sum / account.known
  return account[of].squares / account.known - mean * mean
}
