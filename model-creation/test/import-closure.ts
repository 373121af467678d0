// The files of the project that a module imports, directly or indirectly; includes types, but not packages.
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

/** Paths relative to `root`, sorted, including the entry. */
export function importClosure (entry: string, root = process.cwd()): string[] {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
    for (const { fileName } of importedFiles) if (fileName.startsWith('.')) visit(join(dirname(file), fileName))
  }
  visit(join(root, entry))
  return Array.from(seen, (file) => relative(root, file).replaceAll('\\', '/')).sort()
}
