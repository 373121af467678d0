// Compares given channels with those of a model.
import { pointer, Problem } from '../errors.ts'

/**
 * Checks that the given channels are those of the model, in any order.
 * @param at pointer to a given channel
 * @param hint added to the message about a missing channel
 * @throws Problem unknown-channel or missing-channel, listing the expected ones
 * @example
 * checkChannels(['b', 'a'], ['a', 'b']) // undefined
 * checkChannels(['a'], ['a', 'b']) // throws missing-channel
 */
export function checkChannels (
  given: readonly string[],
  expected: readonly string[],
  at = (channel: string): string => pointer('channels', channel),
  hint = ''
): void {
  const unknown = given.filter((channel) => !expected.includes(channel))
  if (unknown.length > 0) {
    throw new Problem(
      'unknown-channel',
      `The model has no channel ${quoted(unknown)}; its channels are ${expected.join(', ')}. Leave others out.`,
      {
        items: unknown.slice(0, 10).map((channel) => ({ pointer: at(channel), detail: 'not a channel of the model' })),
        extensions: { expected },
      }
    )
  }
  const missing = expected.filter((channel) => !given.includes(channel))
  if (missing.length > 0) {
    throw new Problem(
      'missing-channel',
      `The model also needs ${quoted(missing)}; send it too: without it nothing can be scored.${hint}`,
      {
        items: missing.map((channel) => ({ pointer: at(channel), detail: 'missing' })),
        extensions: { missing, expected },
      }
    )
  }
}

/**
 * At most ten names, each in quotation marks and shortened, for a message.
 * @example
 * quoted(['a', 'b']) // '"a", "b"'
 */
export const quoted = (names: readonly string[]): string =>
  names.slice(0, 10).map((name) => `"${name.slice(0, 60)}"`).join(', ') +
  (names.length > 10 ? ` and ${names.length - 10} more` : '')
