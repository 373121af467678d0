// Variants of one piece of work take turns, a round after the other: times are medians over the rounds, and so are the
// ratios of two variants in the same round. CPU of all threads, which a busy machine disturbs less than the clock.
import { quantile } from '../../core/quantile.ts'

/** How often each variant is measured; a quarter more come first, for the compiler. */
export const rounds = { count: 41 }

const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Name → what is timed; the first is our own. May answer a promise. */
type Variants = Readonly<Record<string, () => unknown>>

interface Comparison {
  /** What the variants do, and on what. */
  readonly title: string
  readonly variants: Variants
  /** So many times within one measurement; the table shows the time of one. */
  readonly times?: number
  /** What a variant's answer weighs, where that matters. */
  readonly bytes?: Readonly<Record<string, number>>
}

/** Milliseconds of CPU. */
async function timeOf (work: () => unknown, times: number): Promise<number> {
  // What the variant before left behind is not this one's.
  globalThis.gc?.()
  const start = process.cpuUsage()
  for (let i = 0; i < times; i++) {
    const answer = work()
    if (answer instanceof Promise) await answer
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000 / times
}

export async function compare ({ title, variants, times = 1, bytes }: Comparison): Promise<void> {
  const names = Object.keys(variants)
  const taken = new Map(names.map((name): [string, number[]] => [name, []]))
  const warmUp = Math.ceil(rounds.count / 4)
  for (let round = -warmUp; round < rounds.count; round++) {
    for (const name of names) {
      const time = await timeOf(variants[name]!, times)
      if (round >= 0) taken.get(name)!.push(time)
    }
  }
  const own = taken.get(names[0]!)!
  for (const name of names) {
    const list = taken.get(name)!
    const ratio = median(list.map((time, round) => time / own[round]!))
    const size = bytes?.[name] === undefined ? '' : `${(bytes[name] / 1024).toFixed(1)} kB`
    console.log(`| ${title} | ${name} | ${shown(median(list))} | ${ratio.toPrecision(3)} | ${size} |`)
  }
}

function shown (ms: number): string {
  if (ms >= 0.1) return `${ms.toPrecision(3)} ms`
  return ms >= 0.001 ? `${(ms * 1e3).toPrecision(3)} µs` : `${(ms * 1e6).toPrecision(3)} ns`
}
