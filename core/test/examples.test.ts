// The examples of the docstrings: every exported function of core/ has one, and each says what its code gives.
//
// An example is code of one to four lines. A comment behind a line states its value: `// 2.5`, `// [1, 2]` (arrays of
// any kind), `// { a: 1 }`, `// 0.83…` (the first digits), or `// throws CODE`. A line without a comment only prepares.
// The module's own exports are in scope, and every other name that core/ exports once.
import { deepStrictEqual } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const core = resolve(import.meta.dirname, '..')
const MOST_LINES = 4

/** Kernel files, whose functions take addresses in the kernel's memory, and re-exports. */
const WITHOUT_EXAMPLES = /^linear\/kernel\/|^metrics\/index\.ts$/

interface ExportedFunction {
  readonly path: string
  readonly name: string
  readonly examples: readonly string[]
}

/** A line of an example: code, and the comment that states its value. */
interface Line {
  readonly code: string
  readonly stated: string | undefined
}

const paths = readdirSync(core, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.includes('test/') && !WITHOUT_EXAMPLES.test(path))

const functions = paths.flatMap(functionsOf)

function functionsOf (path: string): ExportedFunction[] {
  const tree = ts.createSourceFile(path, readFileSync(join(core, path), 'utf8'), ts.ScriptTarget.Latest, true)
  return tree.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) ?? [] : []
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
    const examples = examplesOf(statement)
    return functionNames(statement).map((name) => ({ path, name, examples }))
  })
}

function functionNames (statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return [statement.name!.text]
  if (!ts.isVariableStatement(statement)) return []
  return statement.declarationList.declarations
    .filter(({ initializer }) => initializer !== undefined && ts.isArrowFunction(initializer))
    .map(({ name }) => name.getText())
}

/** Texts of the `@example` tags, read from the source: the parser takes the indentation of comments away. */
function examplesOf (statement: ts.Statement): string[] {
  return ts.getJSDocCommentsAndTags(statement)
    .flatMap((comment) => ts.isJSDoc(comment) ? comment.getText().split(/^ \* @/m).slice(1) : [])
    .filter((tag) => tag.startsWith('example\n'))
    .map((tag) => tag.split('\n').slice(1).map((line) => line.replace(/^ \*\/? ?/, '')).join('\n').trim())
}

/** A line that is only a comment states the value of the line above. */
function linesOf (example: string): Line[] {
  return example.replace(/\n\/\/ /g, ' // ').split('\n').map((line) => {
    const [, code, stated] = /^(.*?)(?: \/\/ (.*))?$/.exec(line)!
    return { code: code!, stated }
  })
}

const modules = new Map(
  await Promise.all(paths.map(async (path) =>
    [path, await import(join(core, path)) as Record<string, unknown>] as const
  ))
)

/** Exported names that stand for one value in all of core/. */
const known = new Map<string, unknown>()
const ambiguous = new Set<string>()
for (const names of modules.values()) {
  for (const [name, value] of Object.entries(names)) {
    if (known.has(name) && known.get(name) !== value) ambiguous.add(name)
    known.set(name, value)
  }
}
for (const name of ambiguous) known.delete(name)

/** A number of which an example states the first digits. */
class Digits {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }

  holds (found: unknown): boolean {
    const size = 10 ** -(this.text.split('.')[1]?.length ?? 0)
    const stated = Number(this.text)
    return typeof found === 'number' && Math.abs(found) >= Math.abs(stated) - size * 1e-6 &&
      Math.abs(found) < Math.abs(stated) + size && Math.sign(found) === Math.sign(stated)
  }
}

const AsyncFunction = checkValue.constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<unknown>

async function evaluate (text: string): Promise<unknown> {
  const code = text.replace(/(-?\d+(?:\.\d+)?)…/g, "new Digits('$1')")
  return new AsyncFunction('Digits', `return (${code})`)(Digits)
}

/** Arrays of any kind become plain ones, and digits that hold become the number that was found. */
function comparable (value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, comparable)
  if (Array.isArray(value)) return value.map(comparable)
  if (value === null || typeof value !== 'object' || value instanceof Digits) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, comparable(member)]))
}

function withFound (stated: unknown, found: unknown): unknown {
  if (stated instanceof Digits) return stated.holds(found) ? found : stated
  if (stated === null || typeof stated !== 'object' || found === null || typeof found !== 'object') return stated
  const other = found as Record<string, unknown>
  const pairs = Object.entries(stated).map(([key, member]) => [key, withFound(member, other[key])])
  return Array.isArray(stated) ? pairs.map(([, member]) => member) : Object.fromEntries(pairs)
}

async function checkValue (stated: string, work: () => unknown): Promise<void> {
  const [, code] = /^throws (\S+)$/.exec(stated) ?? []
  if (code === undefined) {
    const found = comparable(await work())
    deepStrictEqual(found, withFound(comparable(await evaluate(stated)), found))
    return
  }
  const problem = await (async () => work())().then(() => undefined, (error: { code?: string }) => error)
  deepStrictEqual(problem?.code, code)
}

async function run (lines: readonly Line[], path: string): Promise<void> {
  const scope = new Map([...known, ...Object.entries(modules.get(path)!)])
  const body = lines.map(({ code, stated }) =>
    stated === undefined ? code : `await check(${JSON.stringify(stated)}, async () => (${code}))`
  ).join('\n')
  const names = [...scope.keys()].filter((name) => new RegExp(`\\b${name}\\b`).test(body))
  await new AsyncFunction('check', ...names, body)(checkValue, ...names.map((name) => scope.get(name)))
}

/** What is wrong with an example; undefined if nothing is. */
async function faultOf (example: string, path: string): Promise<string | undefined> {
  const lines = linesOf(example)
  if (example.split('\n').length > MOST_LINES) return `has more than ${MOST_LINES} lines`
  if (lines.every(({ stated }) => stated === undefined)) return 'states no value'
  return run(lines, path).then(() => undefined, (error: Error) => error.message)
}

t.test('every exported function has an example, and each example holds', async (t) => {
  t.ok(functions.length > 80, 'the modules have been read')
  for (const { path, name, examples } of functions) {
    t.not(examples.length, 0, `${path}: ${name}() has an @example`)
    for (const example of examples) t.equal(await faultOf(example, path), undefined, `${path}: ${name}()`)
  }
})
