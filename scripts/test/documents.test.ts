// The documents are under test: words, map, examples and commands say what is there.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../adapters/settings/values.ts'
import { EMBEDDED_SETTINGS } from '../../pipelines/embedded/embedded.ts'
import { exampleFiles } from '../make-examples.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

t.test('every exported type of the core is in the glossary', async (t) => {
  const glossary = read('docs/GLOSSARY.md')
  for (const file of readdirSync(join(root, 'core')).filter((name) => name.endsWith('.ts'))) {
    for (const [, name] of read(`core/${file}`).matchAll(/^export (?:interface|type|class) (\w+)/gm)) {
      t.ok(glossary.includes(`\`${name}\``), `${name} of core/${file}`)
    }
  }
})

t.test('the map names every folder and file of the first level, and stays short', async (t) => {
  const map = read('ARCHITECTURE.md')
  t.ok(map.split('\n').length <= 150)
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory() && !/^\.|^(node_modules|dist|data)$/.test(entry.name)
  )
  for (const { name } of folders) t.ok(map.includes(`${name}/`), name)
  for (
    const name of readdirSync(join(root, 'core')).filter((file) => file.endsWith('.ts') && file !== 'detection.ts')
  ) t.ok(map.includes(name), `core/${name}`)
  for (const [, path] of map.matchAll(/`((?:core|model-creation|model-serving|scripts)\/[\w/.-]+\.ts)`/g)) {
    t.doesNotThrow(() => read(path!), path!)
  }
})

t.test('the examples are what make-examples writes', async (t) => {
  for (const [name, content] of exampleFiles()) {
    t.equal(read(`examples/${name}`), content, `${name}: run npm run examples`)
  }
})

t.test('every command of the documents is a script, every link leads somewhere', async (t) => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
  for (
    const document of [
      'README.md',
      'CONTRIBUTING.md',
      'examples/README.md',
      'bench/RESULTS.md',
      'docs/EXPERIMENTS.md',
      'docs/MODELS.md',
      'docs/ENGINE.md',
      'docs/STREAM.md',
    ]
  ) {
    const text = read(document)
    for (const [, name] of text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) {
      t.ok(scripts[name!], `${document}: npm run ${name}`)
    }
    const folder = document.includes('/') ? document.slice(0, document.lastIndexOf('/')) : '.'
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      t.doesNotThrow(() => read(join(folder, target!)), `${document}: ${target}`)
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
      .filter((name) => name.endsWith('.ts') && !name.includes('test/')).map((name) => read(`${folder}/${name}`)).join(
        '\n'
      )
  const training = sources('model-creation')
  for (const [name] of training.matchAll(/\b(?:AWS|INFLUX|MLFLOW)_[A-Z_]+\b/g)) t.ok(example.includes(name), name)
  const all = training + sources('adapters/telemetry') + sources('model-serving') + sources('pipelines') +
    sources('scripts')
  for (const name of example) t.ok(all.includes(name), name)
})
