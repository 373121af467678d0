// Prints the figures of bench/stream.ts.

export const printFigure = (what: string, value: string): void => { console.log(`  ${what.padEnd(66)} ${value}`) }

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
