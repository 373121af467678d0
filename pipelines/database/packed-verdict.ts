// The channels of a verdict as one short JSON text: each name once, and the shortest form of each number. Half the size
// of the message.
import { KINDS } from '../../core/verdicts/kinds.ts'
import type { Verdict } from '../messages/messages.ts'
import { EscapedNames } from './names.ts'

type Parts = Pick<Verdict, 'values' | 'expected' | 'contributions' | 'imputed' | 'kind'>

/** [channel, value, expected, contribution, rank of the contribution]; value false: not among the values. */
type Row = readonly [
  channel: string,
  value?: number | null | false,
  expected?: number | null,
  contribution?: number | null,
  rank?: number
]

/**
 * Whether there are expected values, plus twice the place of the kind in KINDS, counted from 1; whether there are
 * contributions; then the imputed channels.
 */
type Head = readonly [expectedAndKind: number, hasContributions: 0 | 1, ...imputed: string[]]

const quotedNames = new EscapedNames(JSON.stringify)
const asJson = (name: string): string => quotedNames.of(name)

/**
 * @param quoted writes a name; nothing else has quotation marks
 * @example
 * packVerdict({ values: { a: 1.5, b: null }, expected: { a: 1 }, contributions: [{ channel: 'a', contribution: 1 }],
 * imputed: ['a'] }) // '[[1,1,"a"],["a",1.5,1,1,0],["b",null]]'
 */
export function packVerdict ({ values, expected, contributions, imputed, kind }: Parts, quoted = asJson): string {
  const ranks = ranksOf(contributions)
  const has = expected === null ? 0 : 1
  let text = `[[${has + 2 * placeOf(kind)},${contributions === null ? 0 : 1}`
  for (const name of imputed) text += `,${quoted(name)}`
  text += ']'
  for (const name of namesOf(values, expected, ranks)) {
    const guess = guessOf(expected, name)
    const share = ranks.get(name) ?? ''
    const value = Object.hasOwn(values, name) ? values[name] : false
    text += `,[${quoted(name)},${value}${guess === null && share === '' ? '' : `,${guess}`}${share}]`
  }
  return `${text}]`
}

const placeOf = (kind: Verdict['kind']): number => kind === undefined ? 0 : KINDS.indexOf(kind) + 1

const guessOf = (expected: Verdict['expected'], name: string): number | null =>
  expected !== null && Object.hasOwn(expected, name) ? expected[name]! : null

/** The end of a channel's row. */
function ranksOf (contributions: Verdict['contributions']): Map<string, string> {
  const ranks = new Map<string, string>()
  if (contributions === null) return ranks
  for (let i = 0; i < contributions.length; i++) {
    ranks.set(contributions[i]!.channel, `,${contributions[i]!.contribution},${i}`)
  }
  return ranks
}

/** All channels. Nearly always, these are the names of the values. */
function namesOf (
  values: Verdict['values'],
  expected: Verdict['expected'],
  ranks: ReadonlyMap<string, string>
): Iterable<string> {
  const names = Object.keys(values)
  const others = [...Object.keys(expected ?? {}), ...ranks.keys()].filter((name) => !Object.hasOwn(values, name))
  return others.length === 0 ? names : new Set([...names, ...others])
}

export function unpackVerdict (text: string): Parts {
  const [head, ...rows] = JSON.parse(text) as [Head, ...Row[]]
  const [expectedAndKind, hasContributions, ...imputed] = head
  const kind = KINDS[(expectedAndKind >> 1) - 1]
  const ranked = rows.filter((row) => row[4] !== undefined).sort((a, b) => a[4]! - b[4]!)
  return {
    // Object.fromEntries() makes own members of all names, even __proto__.
    values: Object.fromEntries(
      rows.filter((row): row is [string, number | null] => row[1] !== false).map(([name, value]) => [name, value])
    ),
    expected: expectedAndKind % 2 === 0
      ? null
      : Object.fromEntries(rows.filter((row) => (row[2] ?? null) !== null).map((row) => [row[0], row[2]!])),
    contributions: hasContributions === 0 ? null : ranked.map((row) => ({ channel: row[0], contribution: row[3]! })),
    imputed,
    ...(kind !== undefined && { kind }),
  }
}

/** The last packed model: thousands of verdicts have it in common. */
let written = { name: '', version: '', digest: '', text: '' }

export function packModel ({ name, version, digest }: Verdict['model']): string {
  if (name !== written.name || version !== written.version || digest !== written.digest || written.text === '') {
    written = { name, version, digest, text: JSON.stringify([name, version, digest]) }
  }
  return written.text
}

export function unpackModel (text: string): Verdict['model'] {
  const [name, version, digest] = JSON.parse(text) as [string, string, string]
  return { name, version, digest }
}
