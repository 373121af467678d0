// The production code of the repository as TypeScript's parser sees it: which file imports which name from where.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')

/** Stands for all names of a module: `import * as x`, and `import()` without a pattern of names. */
export const ALL_NAMES = '*'

interface Import {
  /** The imported file, relative to the root of the repository. */
  readonly target: string
  readonly names: readonly string[]
}

export interface SourceFile {
  readonly path: string
  readonly imports: readonly Import[]
  /** Imports of packages and of Node's modules, by their names. */
  readonly packages: readonly Import[]
  /**
   * What it reads of global objects, such as `process.env`; `new Date()` for the time of day, `**` for powers that
   * machines may round differently: all but squares and powers of 2.
   */
  readonly globals: readonly string[]
  /** Names that the file declares and exports. */
  readonly exports: readonly string[]
}

/** Files that git knows or would add, and that exist. */
export function listFiles (...patterns: readonly string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  })
  // While a merge is under way, git lists a file several times.
  return [...new Set(listed.split('\n'))].filter((path) => path !== '' && existsSync(join(root, path)))
}

export const isTest = (path: string): boolean => path.includes('/test/')

/** Every file of TypeScript and JavaScript below a folder, without the settings of tools in the root. */
export function readSources (): SourceFile[] {
  return listFiles('*.ts', '*.js')
    .filter((path) => (path.includes('/') || path === 'start.ts') && !path.endsWith('.d.ts'))
    .map(readSource)
}

function readSource (path: string): SourceFile {
  const tree = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const packages: Import[] = []
  const globals: string[] = []
  const visit = (node: ts.Node): void => {
    const { specifier, names } = importOf(node)
    if (specifier !== undefined && ts.isStringLiteral(specifier)) {
      if (specifier.text.startsWith('.')) {
        imports.push({ target: normalize(join(dirname(path), specifier.text)), names })
      } else packages.push({ target: specifier.text, names })
    }
    globals.push(...globalsOf(node))
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(tree, visit)
  return { path, imports, packages, globals, exports: tree.statements.flatMap(exportsOf) }
}

function globalsOf (node: ts.Node): string[] {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return [`${node.expression.text}.${node.name.text}`]
  }
  if (isInexactPower(node)) return ['**']
  if (!ts.isNewExpression(node) || (node.arguments?.length ?? 0) > 0) return []
  return [`new ${node.expression.getText()}()`]
}

function isInexactPower (node: ts.Node): boolean {
  if (!ts.isBinaryExpression(node)) return false
  if (node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return true
  return node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskToken && node.left.getText() !== '2' &&
    node.right.getText() !== '2'
}

function importOf (node: ts.Node): { specifier?: ts.Node | undefined, names: readonly string[] } {
  if (ts.isImportDeclaration(node)) return { specifier: node.moduleSpecifier, names: importedNames(node.importClause) }
  if (ts.isExportDeclaration(node)) return { specifier: node.moduleSpecifier, names: namesOf(node.exportClause) }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return { specifier: node.arguments[0], names: awaitedNames(node) }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal, names: [node.qualifier?.getText().split('.')[0] ?? ALL_NAMES] }
  }
  return { names: [] }
}

function importedNames (clause: ts.ImportClause | undefined): string[] {
  const names = namesOf(clause?.namedBindings)
  return clause?.name === undefined ? names : ['default', ...names]
}

function namesOf (bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): string[] {
  if (bindings === undefined) return []
  if (ts.isNamedImports(bindings) || ts.isNamedExports(bindings)) {
    return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
  }
  return [ALL_NAMES]
}

/** The names of `const { a, b } = await import('./c.ts')`. */
function awaitedNames (call: ts.CallExpression): string[] {
  const declaration = call.parent.parent
  const taken = ts.isAwaitExpression(call.parent) && ts.isVariableDeclaration(declaration) &&
    ts.isObjectBindingPattern(declaration.name)
  if (!taken) return [ALL_NAMES]
  return (declaration.name as ts.ObjectBindingPattern).elements
    .map(({ name, propertyName }) => (propertyName ?? name).getText())
}

function exportsOf (statement: ts.Statement): string[] {
  if (ts.isExportDeclaration(statement)) {
    const clause = statement.exportClause
    return clause !== undefined && ts.isNamedExports(clause) ? clause.elements.map(({ name }) => name.text) : []
  }
  if (!isNamedExport(statement)) return []
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name))
  }
  const { name } = statement as ts.DeclarationStatement
  return name === undefined ? [] : [name.getText()]
}

function isNamedExport (statement: ts.Statement): boolean {
  const kinds = ts.canHaveModifiers(statement) ? ts.getModifiers(statement)?.map(({ kind }) => kind) ?? [] : []
  return kinds.includes(ts.SyntaxKind.ExportKeyword) && !kinds.includes(ts.SyntaxKind.DefaultKeyword)
}

function boundNames (name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) => ts.isOmittedExpression(element) ? [] : boundNames(element.name))
}
