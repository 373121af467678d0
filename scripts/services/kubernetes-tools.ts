// What checks manifests without a cluster: kustomize and kubeconform from their Go modules, and the schemas of what
// they check.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { closedSchema, type JsonSchema } from './custom-resources.ts'
import { goCompiler, type GoProgram, goProgram, installGoProgram } from './go.ts'
import { SERVICES_DIR } from './server.ts'

const PROGRAMS = {
  kustomize: { name: 'kustomize', version: '5.7.1', path: 'sigs.k8s.io/kustomize/kustomize/v5' },
  kubeconform: { name: 'kubeconform', version: '0.8.0', path: 'github.com/yannh/kubeconform/cmd/kubeconform' },
} as const satisfies Record<string, GoProgram>

/** Modules that publish the definitions of custom resources which the overlays use. */
const DEFINITIONS = [
  { module: 'github.com/kedacore/keda/v2', version: '2.17.2', folder: 'config/crd/bases' },
  { module: 'knative.dev/serving', version: '0.45.0', folder: 'config/core/300-resources' },
  {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: '0.85.0',
    folder: 'example/prometheus-operator-crd',
  },
] as const

const KUBERNETES = '1.34.0'
/** The package that has them. */
const SCHEMA_PACKAGE = 'kubernetes-validate==1.34.1'
const ENVIRONMENT = join(SERVICES_DIR, 'kubernetes-schemas')
const CUSTOM = join(SERVICES_DIR, `custom-resources-${DEFINITIONS.map(({ version }) => version).join('-')}`)
const SCHEMAS = join(SERVICES_DIR, `kubernetes-json-schema-${KUBERNETES}`)
const MINUTE = 60_000

/** The path of the program, once it is installed. */
export const programOf = (name: keyof typeof PROGRAMS): string => goProgram(PROGRAMS[name])

export const versionsOfTools = (): string =>
  [
    ...Object.values(PROGRAMS).map(({ name, version }) => `${name} ${version}`),
    `schemas of Kubernetes ${KUBERNETES}`,
    ...DEFINITIONS.map(({ module, version }) => `${module} ${version}`),
  ].join(', ')

/** Where kubeconform finds schemas. */
export const SCHEMA_LOCATIONS = [
  join(SCHEMAS, '{{.ResourceKind}}{{.KindSuffix}}.json'),
  join(CUSTOM, 'schemas', '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'),
] as const

/** Definitions of the custom resources, as a cluster is told of them. */
export const definitionFiles = (): string[] =>
  readdirSync(join(CUSTOM, 'definitions')).sort().map((name) => join(CUSTOM, 'definitions', name))

/** What is missing is installed. */
export function installKubernetesTools (): void {
  for (const program of Object.values(PROGRAMS)) installGoProgram(program)
  installSchemas()
  installDefinitions()
}

/** A package of PyPI has the schemas; they name each other by addresses that are none here. */
function installSchemas (): void {
  if (existsSync(SCHEMAS)) return
  execFileSync('bash', [join(import.meta.dirname, 'install-python.sh'), ENVIRONMENT, SCHEMA_PACKAGE], {
    stdio: 'inherit',
    timeout: 15 * MINUTE,
  })
  const [python] = readdirSync(join(ENVIRONMENT, 'lib'))
  const source = join(
    ENVIRONMENT,
    'lib',
    python!,
    'site-packages/kubernetes_validate/kubernetes-json-schema',
    `v${KUBERNETES}-local-strict`
  )
  const made = `${SCHEMAS}.made`
  mkdirSync(made, { recursive: true })
  for (const name of readdirSync(source)) {
    const schema = JSON.parse(
      readFileSync(join(source, name), 'utf8'),
      (key, value: unknown) => key === '$id' && typeof value === 'string' ? undefined : value
    ) as unknown
    writeFileSync(join(made, name), JSON.stringify(schema).replaceAll('"/api/_definitions.json', '"_definitions.json'))
  }
  renameSync(made, SCHEMAS)
}

function installDefinitions (): void {
  if (existsSync(CUSTOM)) return
  const go = goCompiler()
  const made = `${CUSTOM}.made`
  for (const { module, version, folder } of DEFINITIONS) {
    const { Dir } = JSON.parse(
      execFileSync(go, ['mod', 'download', '-json', `${module}@v${version}`], {
        encoding: 'utf8',
        cwd: tmpdir(),
        timeout: 10 * MINUTE,
      })
    ) as { Dir: string }
    for (const name of readdirSync(join(Dir, folder)).filter((file) => file.endsWith('.yaml'))) {
      keepDefinition(made, name, readFileSync(join(Dir, folder, name), 'utf8'))
    }
  }
  renameSync(made, CUSTOM)
}

interface Definition {
  readonly kind: string
  readonly spec: {
    readonly group: string,
    readonly names: { readonly kind: string },
    readonly versions: ReadonlyArray<
      { readonly name: string, readonly schema?: { readonly openAPIV3Schema: JsonSchema } }
    >,
  }
}

function keepDefinition (folder: string, name: string, text: string): void {
  mkdirSync(join(folder, 'definitions'), { recursive: true })
  writeFileSync(join(folder, 'definitions', name), text)
  for (const { kind, spec } of parseAllDocuments(text).map((document) => document.toJS() as Definition)) {
    if (kind !== 'CustomResourceDefinition') continue
    for (const { name: version, schema } of spec.versions) {
      const file = join(folder, 'schemas', spec.group, `${spec.names.kind.toLowerCase()}_${version}.json`)
      mkdirSync(dirname(file), { recursive: true })
      if (schema !== undefined) writeFileSync(file, JSON.stringify(closedSchema(schema.openAPIV3Schema)))
    }
  }
}
