// Times of messages ⇄ numbers, by which databases order.
import { readIsoTime } from '../../core/table/iso-time.ts'

/** RFC 3339 → milliseconds since 1970. */
export const millisOf = (time: string): number => readIsoTime(time) ?? Date.parse(time)

export const timeOf = (millis: number): string => new Date(millis).toISOString()
