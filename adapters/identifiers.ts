// Identifiers of jobs, objects, consumers and temporary files. They are random, because other processes make theirs at
// the same time; no result depends on them. Everything that is computed draws from core/random.ts instead.
import { randomUUID } from 'node:crypto'

export const randomId = (): string => randomUUID()

/** An identifier that sorts by its time. */
export const timedId = (at: Date): string => `${at.toISOString().replaceAll(/\D/g, '')}-${randomUUID().slice(0, 8)}`
