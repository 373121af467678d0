// A straight line to the next value if that has come already, else the newest value. It looks ahead: verdicts differ
// from those of causal scoring.
import { z } from 'zod'
import type { KnownValue, Strategy } from './strategy.ts'

const SavedSchema = z.array(z.object({ time: z.number(), value: z.number() }).nullable())

export const linear: Strategy = {
  open (channels, saved) {
    const last: Array<KnownValue | null> = saved === undefined
      ? Array<null>(channels).fill(null)
      : SavedSchema.parse(saved)
    return {
      observed (channel, at) { last[channel] = at },
      fill (channel, time, next) {
        const before = last[channel] ?? undefined
        if (before === undefined || next === undefined) return before?.value ?? NaN
        return before.value + (next.value - before.value) * (time - before.time) / (next.time - before.time)
      },
      save: () => [...last],
    }
  },
}
