// Writes reports to disk: JSON with a stable order of keys, and Markdown.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a report as indented JSON. Numbers are rounded to 6 significant digits: a diff shows changes, not noise.
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

/** A line plot, written as a Vega-Lite specification that contains its data: any Vega viewer opens it, without DVC. */
interface Plot {
  readonly title: string
  readonly x: string
  /** Members of the rows; each is one line. */
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
