// The documents are under test: words, map, examples and commands say what is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../adapters/settings/values.ts'
import { EMBEDDED_SETTINGS } from '../../pipelines/embedded/embedded.ts'
import { exampleFiles } from '../make-examples.ts'
import { isTest, listFiles } from './source-files.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const documents = listFiles('*.md')

t.test('lines of the documents have at most 120 columns, but for tables and links, and end', async (t) => {
  for (const path of documents) {
    const text = read(path)
    const long = text.split('\n').filter((line) => line.length > 120 && !/^\||https?:\/\/\S{60}/.test(line))
    t.same(long, [], path)
    t.ok(text.endsWith('\n'), `${path} ends with its last line`)
  }
})

t.test('lines of pages, manifests and scripts have at most 120 columns', async (t) => {
  const paths = listFiles('*.html', '*.css', '*.sh', '*.py', '*.yaml', '*.yml', '.env.example', '.ci/run')
  for (const path of paths) {
    t.same(read(path).split('\n').filter((line) => line.length > 120), [], path)
  }
  t.ok(paths.length > 40)
})

t.test('every exported type of the core is in the glossary', async (t) => {
  const glossary = read('docs/GLOSSARY.md')
  const internal = /^core\/linear\/(?:kernel|linear-kernel|pack)\b/
  const files = listFiles('core/*.ts').filter((path) => !isTest(path) && !internal.test(path))
  for (const path of files) {
    for (const [, name] of read(path).matchAll(/^export (?:interface|type|class) (\w+)/gm)) {
      t.ok(glossary.includes(`\`${name}\``), `${name} of ${path}`)
    }
  }
  t.ok(files.length > 40)
})

t.test('every word of the glossary is explained once', async (t) => {
  const words = [...read('docs/GLOSSARY.md').matchAll(/^\| ([^|]+) \|/gm)]
    .flatMap(([, cell]) => [...cell!.matchAll(/\*\*([^*]+)\*\*/g)].map(([, word]) => word))
  t.same(words.filter((word, i) => words.indexOf(word) !== i), [])
  t.ok(words.length > 50)
})

const map = read('ARCHITECTURE.md')

/** Top folders whose folders have rows in the code map, too. */
const FINE = ['core', 'adapters', 'model-creation', 'model-serving', 'pipelines']

/** The folders inside a folder that hold code, without tests. */
function foldersOf (folder: string): string[] {
  const inside = listFiles(`${folder}/*.ts`).map((path) => path.slice(folder.length + 1).split('/'))
  const names = inside.filter((parts) => parts.length > 1).map(([name]) => name!)
  return [...new Set(names)].filter((name) => name !== 'test')
}

t.test('the picture of the map and the folders of core/ are the same', async (t) => {
  const picture = /```\n([^`]+)```/.exec(map)![1]!
  const named = [...picture.matchAll(/(?<=^|\s)([a-z]+)\/(?=\s|$)/gm)].map(([, name]) => name!)
  t.same([...new Set(named)].sort(), foldersOf('core').sort())
  const files = [...picture.matchAll(/([\w-]+\.ts)/g)].map(([, name]) => name!)
  const ofCore = listFiles('core/*.ts').filter((path) => path.split('/').length === 2)
  t.same(files.sort(), ofCore.map((path) => path.slice('core/'.length)))
})

t.test('the map has a row for every folder of code, and stays short', async (t) => {
  t.ok(map.split('\n').length <= 158)
  const codeMap = map.slice(map.indexOf('## Code map'), map.indexOf('## Invariants'))
  const top = listFiles().filter((path) => /^\w.*\//.test(path)).map((path) => path.split('/')[0]!)
  for (const folder of new Set(top)) {
    t.ok(codeMap.includes(`\`${folder}/`), `${folder}/`)
    for (const name of FINE.includes(folder) ? foldersOf(folder) : []) {
      t.ok(codeMap.includes(`/${name}/\``) || codeMap.includes(`\`${name}/\``), `${folder}/${name}/`)
    }
  }
})

t.test('every file that the map names exists', async (t) => {
  const known = new Set(listFiles())
  const behaviours = map.slice(map.indexOf('## Where is …'), map.indexOf('## Code map')).split('\n').slice(4)
    .filter((line) => line.startsWith('| '))
  t.ok(behaviours.length >= 20, `${behaviours.length} behaviours`)
  for (const line of behaviours) {
    const [, behaviour, cell] = line.split('|').map((part) => part.trim())
    const files = [...cell!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!).filter((path) => path !== '.env')
    t.ok(files.length > 0, behaviour!)
    for (const path of files) t.ok(known.has(path), `${behaviour}: ${path}`)
  }
  const paths = [...known]
  for (const [, name] of map.matchAll(/`([\w/.-]+\.(?:ts|yaml|json))`/g)) {
    t.ok(paths.some((path) => path === name || path.endsWith(`/${name}`)), name!)
  }
})

const SUPERSEDED = /^\*\*Status\.\*\* Superseded by \[(\d+)\]\((\d{4}-[\w-]+\.md)\)\.$/m

t.test('a file that a document names by its path exists', async (t) => {
  const known = listFiles()
  const top = new Set(known.filter((path) => /^\w.*\//.test(path)).map((path) => path.split('/')[0]!))
  const named = new RegExp(`\\b(?:${[...top].join('|')})/[\\w/.-]+\\.(?:ts|js|json|yaml|md)\\b`, 'g')
  let count = 0
  for (const document of documents) {
    const text = read(document)
    if (SUPERSEDED.test(text)) continue
    for (const [, code] of text.matchAll(/`([^`\n]+)`/g)) {
      if (/^(?:npm|node|npx|dvc) |dist\//.test(code!)) continue
      for (const [path] of code!.matchAll(named)) {
        count++
        t.ok(known.some((file) => file === path || file.endsWith(`/${path}`)), `${document}: ${path}`)
      }
    }
  }
  t.ok(count > 80, `${count} paths`)
})

t.test('a superseded decision and its successor name each other', async (t) => {
  let count = 0
  for (const path of listFiles('docs/decisions/0*.md')) {
    const text = read(path)
    const number = Number(path.slice('docs/decisions/'.length, 'docs/decisions/0000'.length))
    t.match(text, new RegExp(`^# (?:${number}\\.|${String(number).padStart(4, '0')}) `), path)
    const [, successor, file] = SUPERSEDED.exec(text) ?? []
    if (file === undefined) continue
    count++
    t.match(read(`docs/decisions/${file}`), `Supersedes [${number}](${path.slice('docs/decisions/'.length)})`, path)
    t.ok(file.startsWith(successor!.padStart(4, '0')), file)
  }
  t.ok(count > 2)
})

t.test('the examples are what make-examples writes', async (t) => {
  for (const [name, content] of exampleFiles()) {
    t.equal(read(`examples/${name}`), content, `${name}: run npm run examples`)
  }
})

t.test('every command of the documents is a script, every link leads somewhere', async (t) => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
  for (const document of listFiles('*.md')) {
    const text = read(document)
    for (const [, name] of text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) {
      t.ok(scripts[name!], `${document}: npm run ${name}`)
    }
    const folder = document.includes('/') ? document.slice(0, document.lastIndexOf('/')) : '.'
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      t.ok(existsSync(join(root, folder, target!)), `${document}: ${target}`)
    }
  }
})

t.test('.env.example has every setting of the stream, with its default', async (t) => {
  const example = Object.fromEntries(
    [...read('.env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!])
  )
  const shapes = [EMBEDDED_SETTINGS]
  for (const file of readdirSync(join(root, 'pipelines/settings'))) {
    const exported = await import(join(root, 'pipelines/settings', file)) as Record<string, typeof EMBEDDED_SETTINGS>
    shapes.push(...Object.keys(exported).filter((name) => name.endsWith('_SETTINGS')).map((name) => exported[name]!))
  }
  // The service says what these are by default.
  const elsewhere = ['MODEL_REGISTRY']
  for (const shape of shapes) {
    t.same(Object.keys(shape).filter((name) => !(name in example)), [])
    const own = Object.fromEntries(
      Object.keys(shape).filter((name) => !elsewhere.includes(name)).map((name) => [name, example[name]])
    )
    t.same(parseSettings(z.object(shape), own), parseSettings(z.object(shape), {}))
  }
  t.ok(shapes.length > 8)
})

t.test('.env.example has every variable of a server that training uses, and none that nothing reads', async (t) => {
  const example = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!)
  const sources = (folder: string): string =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('test/'))
      .map((name) => read(`${folder}/${name}`)).join('\n')
  const training = sources('model-creation') + sources('adapters')
  for (const [name] of training.matchAll(/\b(?:AWS|INFLUX|MLFLOW)_[A-Z_]+\b/g)) t.ok(example.includes(name), name)
  const all = training + sources('model-serving') + sources('pipelines') + sources('scripts')
  for (const name of example) t.ok(all.includes(name), name)
})
