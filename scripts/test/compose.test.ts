// compose.yaml says nothing that is not so. Suite `compose` starts what it starts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { COMPOSE_TEXT, inOrder, readCompose } from './compose-file.ts'
import { commandOf, readStages } from './image-folder.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

t.test('compose.yaml has existing settings and mounts, no keys, and ports of this machine alone', async (t) => {
  const known = new Set([...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!))
  for (const [, name] of COMPOSE_TEXT.matchAll(/\$\{(\w+)/g)) t.ok(known.has(name!), String(name))
  t.notMatch(COMPOSE_TEXT, /\$\{(?:\w*(?:TOKEN|PASSWORD|KEY\w*)):-/, 'no key has a default')
  t.throws(() => readCompose({}), { message: /set \w+ in \.env/ })
  const env = Object.fromEntries([...known].map((name) => [name, 'x']))
  const { services, volumes } = readCompose(env)
  for (const [name, { image, build, ports, volumes: mounted }] of Object.entries(services)) {
    t.match(image, /:.*\d/, `${name} is pinned`)
    t.equal(build !== undefined, image.startsWith('ae-'), `${name}: our own image is built here`)
    for (const port of ports) t.match(port, /^127\.0\.0\.1:/)
    for (const source of mounted.map((mount) => mount.split(':')[0]!)) {
      if (source.startsWith('.')) t.ok(readdirSync(join(root, source)).length > 0, source)
      else t.ok(Object.hasOwn(volumes, source), source)
    }
  }
})

t.test('compose.yaml starts everything after what it needs, our own with no rights and what exists', async (t) => {
  const { services } = readCompose(
    Object.fromEntries([...COMPOSE_TEXT.matchAll(/\$\{(\w+)/g)].map(([, name]) => [name!, 'x']))
  )
  t.doesNotThrow(() => inOrder(services))
  for (const [name, service] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const before = services[other]!
      if (condition === 'service_completed_successfully') {
        t.equal(before.restart, 'no', `${name} waits for the end of ${other}`)
      } else {
        t.ok(
          before.healthcheck?.disable !== true &&
            (before.build !== undefined || before.healthcheck?.test !== undefined),
          `${name} waits for ${other}, which tells how it is`
        )
      }
    }
    if (service.build === undefined) continue
    t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, name)
    t.ok(readStages().has(service.build.target), name)
    const program = (service.command ?? commandOf('service')).find((part) => part.startsWith('dist/'))!
    t.ok(existsSync(join(root, program.replace(/^dist\/(.*)\.js$/, '$1.ts'))), `${name} runs ${program}`)
  }
  const manifests = readdirSync(join(root, 'kubernetes/base'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.ya?ml$/.test(path)
  ).map((path) => read(join('kubernetes/base', path))).join()
  t.match(manifests, `image: ${services['service']!.image}`, 'the same version as on Kubernetes')
})
