// The manifests themselves: they parse, set variables that the programs read, and agree with each other.
// scripts/test/manifests.integration.ts and apiserver.integration.ts check them by kubeconform and a real API server.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { PROCESS_SETTINGS } from '../../pipelines/settings/process.ts'

const folder = join(import.meta.dirname, '..')
/** Rules and dashboards in monitoring/ are no manifests; monitoring.test.ts checks them. */
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.ya?ml$/.test(name) && !name.startsWith('monitoring')
)

const documents = (file: string): unknown[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    t.strictSame(document.errors, [], file)
    return document.toJS() as unknown
  })

const Container = z.object({
  name: z.string(),
  image: z.string().regex(/:[^:/]+$/),
  command: z.array(z.string()),
  env: z.array(
    z.object({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
    })
  ).default([]),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
})

const CronJob = z.object({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('CronJob'),
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.object({
    schedule: z.string().regex(/^(\S+ ){4}\S+$/),
    concurrencyPolicy: z.literal('Forbid'),
    startingDeadlineSeconds: z.int().positive(),
    jobTemplate: z.object({
      spec: z.object({
        activeDeadlineSeconds: z.int().positive(),
        backoffLimit: z.int(),
        template: z.object({
          spec: z.object({
            restartPolicy: z.literal('Never'),
            automountServiceAccountToken: z.literal(false),
            securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.int().positive() }),
            initContainers: z.array(Container),
            containers: z.array(Container).length(1),
            volumes: z.array(z.object({ name: z.string(), emptyDir: z.object({ sizeLimit: z.string() }) })),
          }),
        }),
      }),
    }),
  }),
})

t.test('every manifest is valid, and holds no secret', (t) => {
  t.ok(files.length > 0)
  for (const file of files) {
    for (const document of documents(file)) {
      if (Array.isArray(document)) continue
      const kind = (document as { kind: string }).kind
      t.type((document as { apiVersion: string }).apiVersion, 'string', file)
      t.not(kind, 'Secret', `${file}: secrets are made by hand, and named here`)
    }
  }
  t.end()
})

t.test('the retraining as a CronJob', (t) => {
  const [settings, job] = documents(join('training', 'cron-job.yaml'))
  const { metadata, spec: { jobTemplate: { spec: { activeDeadlineSeconds, template } } } } = CronJob.parse(job)
  const { initContainers, containers: [retrain], volumes } = template.spec
  t.equal(metadata.name, 'retrain')
  t.ok(activeDeadlineSeconds >= 6 * 3600, 'no shorter than the training may take')
  t.match(settings, {
    kind: 'ConfigMap',
    metadata: { name: 'retrain' },
    data: { MODEL_REGISTRY: /^s3:/, AWS_ENDPOINT_URL: /^http/ },
  })
  const secrets = retrain!.env.filter(({ valueFrom }) => valueFrom !== undefined)
  t.strictSame(secrets.map(({ name, valueFrom }) => [name, valueFrom!.secretKeyRef.key]), [
    ['AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'],
    ['AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
  ])
  for (const { volumeMounts } of [...initContainers, retrain!]) {
    for (const { name } of volumeMounts) t.ok(volumes.some((volume) => volume.name === name), name)
  }
  t.match(retrain!.command.at(-1), 'pipelines/training/main.ts run')
  t.end()
})

interface Workload {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Record<string, string>
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number,
        readonly containers: ReadonlyArray<
          {
            readonly command: string[],
            readonly ports: ReadonlyArray<{ readonly containerPort: number }>,
            readonly env?: ReadonlyArray<{ readonly name: string }>,
          }
        >,
      },
    },
    readonly maxReplicaCount?: number,
  }
}

const all = files.flatMap((file) => documents(file)).filter((document): document is Workload =>
  !Array.isArray(document)
)
const programs = all.filter(({ kind, spec }) =>
  spec?.template !== undefined && ['Deployment', 'StatefulSet', 'Service'].includes(kind)
)
const configMap = (name: string): Record<string, string> =>
  all.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name)!.data!
const ENVIRONMENT = readFileSync(join(folder, '../.env.example'), 'utf8')

/** Variables of the containers themselves, not of their programs. */
const OF_CONTAINERS = new Set(['HOME', 'DVC_SITE_CACHE_DIR', 'RETRAIN_FLAGS'])

t.test('every variable is one that the programs read', (t) => {
  const patched = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^ {6,}([A-Z][A-Z_]+): |^ +(?:- )?name: ([A-Z][A-Z_]+)$/gm)]
      .map(([, setting, entry]) => (setting ?? entry)!)
  )
  const names = new Set([
    ...patched,
    ...all.flatMap(({ data = {} }) => Object.keys(data)),
    ...programs.flatMap(({ spec }) =>
      spec!.template!.spec.containers.flatMap(({ env = [] }) => env.map(({ name }) => name))
    ),
  ])
  t.ok(names.size > 20)
  for (const name of names) t.ok(OF_CONTAINERS.has(name) || new RegExp(`^${name}=`, 'm').test(ENVIRONMENT), name)
  t.end()
})

t.test('every program is built from a source file, and listens on the port of the manifest', (t) => {
  t.equal(programs.length, 8)
  for (const { metadata, spec } of programs) {
    const [{ command, ports }] = spec!.template!.spec.containers as unknown as [
      { command: string[], ports: [{ containerPort: number }] }
    ]
    const source = command.at(-1)!.replace(/^dist\//, '').replace(/\.js$/, '.ts')
    t.ok(command[0] === 'node' && existsSync(join(folder, '..', source)), source)
    const variable = metadata.name === 'ae-ano-detection' ? 'SERVICE_PORT' : `${metadata.name.toUpperCase()}_PORT`
    t.match(ENVIRONMENT, new RegExp(`^${variable}=${ports[0].containerPort}$`, 'm'))
  }
  t.end()
})

t.test('a pod may take longer to end than its longest request, and there are no more steps than partitions', (t) => {
  const settings = configMap('ae-ano-detection')
  const [compute, grace] = [Number(settings['COMPUTE_TIMEOUT_MS']), Number(settings['SHUTDOWN_GRACE_MS'])]
  const { terminationGracePeriodSeconds } = programs.find(({ kind }) => kind === 'StatefulSet')!.spec!.template!.spec
  t.ok(
    compute < grace && grace + 5000 < 1000 * terminationGracePeriodSeconds,
    'request < grace < grace and preStop < what the pod has'
  )
  const knative = all.find(({ kind, spec }) => kind === 'Service' && spec?.template !== undefined)!.spec!.template!
    .spec as unknown as { timeoutSeconds: number }
  t.ok(grace < 1000 * knative.timeoutSeconds, 'which is what Knative gives a pod to end')
  const { SHUTDOWN_GRACE_MS } = PROCESS_SETTINGS
  const ofStep = Number(SHUTDOWN_GRACE_MS.parse(undefined))
  for (const { metadata, spec } of programs.filter(({ kind }) => kind === 'Deployment')) {
    t.ok(
      ofStep + 5000 < 1000 * spec!.template!.spec.terminationGracePeriodSeconds,
      `${metadata.name}: its grace and preStop < what the pod has`
    )
  }
  const scaled = all.filter(({ kind, metadata }) => kind === 'ScaledObject' && metadata.name !== 'ae-ano-detection')
  t.equal(scaled.length, 3)
  t.match(readFileSync(join(folder, 'overlays/production/kustomization.yaml'), 'utf8'), 'KAFKA_TLS: "on"')
  for (const { spec } of scaled) {
    t.match(
      spec,
      { triggers: [{ type: 'kafka', metadata: { tls: 'enable' } }] },
      'who measures the lag speaks to the brokers as the steps do'
    )
  }
  for (const { spec } of scaled) t.ok(spec!.maxReplicaCount! <= Number(configMap('stream')['STREAM_PARTITIONS']))
  t.end()
})
