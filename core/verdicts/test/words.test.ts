import fc from 'fast-check'
import t from 'tap'
import { durationInWords, placeInCycle, sensible, shortName } from '../words.ts'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]

t.test('a duration has at most its two largest units, rounded as a whole', async (t) => {
  const stated = [
    [1, '1 ms'],
    [999.6, '1 s'],
    [1.5 * SECOND, '1 s 500 ms'],
    [59 * MINUTE + 59.9 * SECOND, '1 h'],
    [100 * MINUTE, '1 h 40 min'],
    [DAY, '1 d'],
    [2 * DAY + 3 * HOUR + 40 * MINUTE, '2 d 4 h'],
    [0.25, '0.25 ms'],
    [0, '0 ms'],
  ] as const
  for (const [milliseconds, words] of stated) t.equal(durationInWords(milliseconds), words)
})

t.test('no unit of a duration is full, and the words say the duration to two parts in a hundred', async () => {
  const sizes = { d: DAY, h: HOUR, min: MINUTE, s: SECOND, ms: 1 }
  fc.assert(fc.property(fc.integer({ min: 1, max: 400 * DAY }), (milliseconds) => {
    const words = durationInWords(milliseconds)
    let sum = 0
    for (const [, count, unit] of words.matchAll(/(\d+) (\w+)/g)) {
      sum += Number(count) * sizes[unit as keyof typeof sizes]
    }
    return Math.abs(sum - milliseconds) <= milliseconds / 48
  }))
})

t.test('numbers have the digits that tell them from each other', async (t) => {
  t.equal(sensible(100.2468, 20.1), '100.2')
  t.equal(sensible(12, 0.5), '12')
  t.equal(sensible(2041.3, 1200), '2041')
  t.equal(sensible(0.1234567, 0.0012), '0.1235')
  t.equal(sensible(123_456_789, 1000), '1.235e8')
  t.equal(sensible(-0, 3), '0')
  t.equal(sensible(5, 0), '5')
  t.equal(sensible(Number.MAX_VALUE, 1), '1.7976931348623157e308', 'not rounded to infinity')
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  fc.assert(fc.property(finite, finite, (a, b) => {
    const difference = a - b
    fc.pre(Math.abs(difference) > 1e-3)
    const written = Number(sensible(a, difference)) - Number(sensible(b, difference))
    return Math.abs(written - difference) <= 0.1 * Math.abs(difference)
  }))
})

t.test('names are shortened to one line', async (t) => {
  t.equal(shortName('a\r\n\tb'), 'a b')
  t.same(['', ' \n'].map(shortName), ['unnamed channel', 'unnamed channel'])
  t.equal(shortName('x'.repeat(40)), 'x'.repeat(40))
  t.equal(shortName('😀'.repeat(41)), `${'😀'.repeat(39)}…`, 'no character is cut in two')
})

t.test('an instant has a place in a day and in a week, to the second where observations are so close', async (t) => {
  const monday = Date.UTC(2026, 0, 5, 6, 30, 15)
  t.same(placeInCycle(monday, DAY, MINUTE), { at: 'at 06:30', then: 'at this time of day' })
  t.equal(placeInCycle(monday, DAY, 15 * SECOND).at, 'at 06:30:15')
  t.same(placeInCycle(monday, 7 * DAY, HOUR), { at: 'on Monday at 06:30', then: 'at this time of the week' })
  t.same(placeInCycle(monday, 7 * DAY, DAY), { at: 'on a Monday', then: 'on a Monday' })
  t.same(placeInCycle(monday, 91 * MINUTE, MINUTE), { at: '', then: 'at this point of its cycle of 1 h 31 min' })
})
