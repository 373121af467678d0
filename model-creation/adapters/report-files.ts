// Reports on disk: JSON with a stable order of keys, and Markdown.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a report as indented JSON; numbers are kept to 6 significant digits, so that a diff shows changes and not
 * noise.
 */
export async function writeJsonReport (path: string, report: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value
  await writeFile(path, `${JSON.stringify(report, rounded, 2)}\n`)
}

export async function writeTextReport (path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** Lines over one x, as a Vega-Lite specification with its data inside: opens in any Vega viewer, without DVC. */
export interface Plot {
  readonly title: string
  readonly x: string
  /** Members of the rows, a line each. */
  readonly y: readonly string[]
  readonly rows: ReadonlyArray<object>
}

export async function writePlot (path: string, { title, x, y, rows }: Plot): Promise<void> {
  await writeJsonReport(path, {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title,
    width: 480,
    height: 320,
    data: { values: rows },
    transform: [{ fold: y, as: ['series', 'value'] }],
    mark: { type: 'line', point: true, tooltip: true },
    encoding: {
      x: { field: x, type: 'quantitative', scale: { zero: false } },
      y: { field: 'value', type: 'quantitative' },
      color: { field: 'series', type: 'nominal' },
    },
  })
}

/** A Markdown table. */
export function markdownTable (header: readonly string[], rows: ReadonlyArray<ReadonlyArray<string | number>>): string {
  const line = (cells: ReadonlyArray<string | number>): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
