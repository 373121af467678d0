// A series whose channels need every kind of evidence, and models of it.
import { fitAdHoc, type AdHocDetector } from '../../fitting/ad-hoc.ts'
import { createRandom } from '../../random.ts'
import { fromColumns, type Series, slice } from '../../series/series.ts'

/** Hours on the grid; row t is the same however long the series is. @param left names of channels to leave out */
export function manyKinds (length: number, left: readonly string[] = []): Series {
  const random = createRandom('kinds')
  const noise = (): number => random.normal()
  let past = 0
  let walk = 40
  const rows = Array.from({ length }, (_, t) => {
    const day = Math.sin(2 * Math.PI * t / 24)
    const load = 50 + 8 * noise()
    past = 0.95 * past + noise()
    walk += 0.3 * noise()
    return {
      daily: 100 + 10 * day + noise(),
      wandering: walk + 8 * day + noise(),
      sluggish: past,
      load,
      double: 2 * load + 0.5 * noise(),
      odd: 5 * Math.sin(2 * Math.PI * t / 13.4) + 0.5 * noise(),
      constant: 7,
      // No cycle: the sum of two incommensurable waves decides.
      switching: Math.sin(t / 11) + Math.sin(t / 7.3) > 0 ? 1 : 0,
    }
  })
  const names = Object.keys(rows[0]!).filter((name) => !left.includes(name)) as Array<keyof typeof rows[0]>
  const columns = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]))
  return fromColumns({ start: Date.UTC(2026, 0, 5), interval: 3_600_000, columns })
}

export const TRAINED = 400
export const all = manyKinds(800)
export const test = slice(all, TRAINED, 800)

/** With autoencoders and every kind of evidence; evidence alone, of too few rows for autoencoders. */
export const FITTED: Readonly<Record<string, AdHocDetector>> = {
  'autoencoders and evidence': await fitAdHoc(all, { rows: TRAINED }),
  'evidence alone': await fitAdHoc(all, { rows: 250 }),
}
