// Reports on disk: JSON with a stable order of keys, and Markdown.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a report as indented JSON; numbers are kept to 6 significant digits, so that a diff shows changes and not noise. */
export async function writeJsonReport (path: string, report: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const rounded = (_: string, value: unknown): unknown => typeof value === 'number' ? Number(value.toPrecision(6)) : value
  await writeFile(path, `${JSON.stringify(report, rounded, 2)}\n`)
}

export async function writeTextReport (path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** A Markdown table. */
export function markdownTable (header: readonly string[], rows: ReadonlyArray<ReadonlyArray<string | number>>): string {
  const line = (cells: ReadonlyArray<string | number>): string => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
