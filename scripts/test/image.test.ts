// The Dockerfile: what it copies is there, what it starts is built, and who runs it is nobody. No image is made here.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Script } from 'node:vm'
import t from 'tap'
import { z } from 'zod'
import { commandOf, instructionsOf, readStages } from './image-folder.ts'

const root = resolve(import.meta.dirname, '../..')

const stages = [...readStages().keys()]
const scripts =
  z.object({ scripts: z.record(z.string(), z.string()) }).parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  ).scripts
const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter((line) =>
  line !== '' && !line.startsWith('#')
)

t.test('what is copied is in the repository and not ignored, or is made by the build', (t) => {
  const made = ['node_modules', 'dist']
  const copied = [
    ...instructionsOf('build', 'COPY').flatMap((rest) => rest.split(' ').slice(0, -1)),
    ...['service', 'training'].flatMap((stage) =>
      instructionsOf(stage, 'COPY').flatMap((rest) => rest.split(' ').slice(1, -1)).map((path) =>
        path.replace(/^\/app\/?/, '')
      )
    ),
  ]
  t.ok(copied.length > 8)
  for (const path of copied) {
    t.ok(made.includes(path) || existsSync(join(root, path)), path)
    t.ok(made.includes(path) || !ignored.includes(path), `${path} is not ignored`)
  }
  t.ok(
    ['.git', '.env', 'node_modules', '.cache'].every((name) => ignored.includes(name)),
    'nothing secret or foreign gets in'
  )
  t.end()
})

t.test('what is started and run is there', (t) => {
  t.strictSame(commandOf('service'), ['node', 'dist/model-serving/main.js'])
  t.ok(existsSync(join(root, 'model-serving/main.ts')))
  t.ok(existsSync(join(root, commandOf('training')[3]!)))
  const runs = stages.flatMap((stage) => instructionsOf(stage, 'RUN'))
  for (const [, script] of runs.flatMap((run) => [...run.matchAll(/npm run ([\w:-]+)/g)])) {
    t.ok(Object.hasOwn(scripts, script!), script!)
  }
  t.end()
})

t.test('versions are pinned, nobody runs it, and it tells whether it lives', (t) => {
  t.match(readFileSync(join(root, 'Dockerfile'), 'utf8'), /^ARG NODE=\d+\.\d+\.\d+-bookworm-slim$/m)
  // eslint-disable-next-line no-template-curly-in-string
  for (const stage of stages) t.match(instructionsOf(stage, 'FROM')[0], 'node:${NODE} AS')
  for (const stage of ['service', 'training']) t.strictSame(instructionsOf(stage, 'USER'), ['1000:1000'])
  const [, check] = /CMD (\[.*\])$/.exec(instructionsOf('service', 'HEALTHCHECK')[0]!)!
  const [, flag, program] = z.tuple([z.literal('node'), z.literal('-e'), z.string()]).parse(JSON.parse(check!))
  t.equal(flag, '-e')
  t.doesNotThrow(() => new Script(program), 'it is a program')
  t.end()
})
