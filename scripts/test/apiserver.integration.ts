// Manifests before a real API server: every overlay is taken, every pod is allowed in a namespace that enforces
// "restricted", and what is wrong is refused.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments, stringify } from 'yaml'
import { applicable, rendered } from '../check-manifests.ts'
import { kubeApiserverVersion, startKubeApiserver } from '../services/kube-apiserver.ts'
import { definitionFiles } from '../services/kubernetes-tools.ts'

interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string, readonly namespace?: string, readonly labels?: Record<string, string> }
  readonly spec?: {
    readonly template?: PodTemplate,
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } },
    readonly volumeClaimTemplates?: ReadonlyArray<{ readonly metadata: { readonly name: string } }>,
  }
}
interface PodTemplate {
  readonly metadata: object
  readonly spec: { readonly volumes?: readonly object[], readonly containers: readonly object[] }
}

const read = (text: string): Resource[] => parseAllDocuments(text).map((document) => document.toJS() as Resource)

/** The pod that a controller would make of it. */
function podOf ({ kind, metadata: { name, namespace }, spec }: Resource): object | undefined {
  const template = spec?.jobTemplate?.spec.template ?? spec?.template
  if (template === undefined || !['Deployment', 'StatefulSet', 'CronJob'].includes(kind)) return undefined
  const claims = (spec?.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: `${metadata.name}-${name}-0` },
  }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: `${name}-0`, namespace },
    spec: { ...template.spec, volumes: [...template.spec.volumes ?? [], ...claims] },
  }
}

t.test(
  `the API server of Kubernetes ${kubeApiserverVersion()} takes every overlay`,
  { timeout: 300_000 },
  async (t) => {
    const { kubectl, stop } = await startKubeApiserver()
    t.teardown(stop)
    const version = kubectl(['version', '-o', 'json'])
    t.match(version.text, `"gitVersion": "v${kubeApiserverVersion()}"`)
    for (const file of definitionFiles()) {
      t.match(
        kubectl(['apply', '--server-side', '-f', '-'], readFileSync(file, 'utf8')),
        { ok: true },
        file.split('/').at(-1)!
      )
    }
    t.match(kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']), { ok: true })
    const first = read(rendered('overlays/local')).filter(({ kind }) =>
      kind === 'Namespace' || kind === 'ServiceAccount'
    )
    t.match(
      kubectl(['apply', '-f', '-'], first.map((one) => stringify(one)).join('---\n')),
      { ok: true },
      'the namespace and the account of the pods are really made'
    )
    t.match(kubectl(['create', 'namespace', 'monitoring']), { ok: true })

    const dryRun = (text: string): ReturnType<typeof kubectl> =>
      kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], text)
    for (const name of applicable()) {
      const text = rendered(name)
      const resources = read(text)
      const answer = dryRun(text)
      t.ok(answer.ok, `${name}: ${answer.ok ? `${resources.length} resources` : answer.text}`)
      t.notMatch(answer.text, /Warning/, `${name}: without a warning`)
      const namespace = name === 'monitoring' ? 'monitoring' : 'ae-anomaly-detection'
      t.ok(
        resources.every(({ kind, metadata }) => kind === 'Namespace' || metadata.namespace === namespace),
        `${name}: all in one namespace`
      )
      for (const pod of resources.map(podOf).filter((one) => one !== undefined)) {
        const { ok, text: said } = dryRun(stringify(pod))
        t.ok(ok, `${name}: ${said.trim()}`)
      }
    }

    const [sink] = read(rendered('overlays/production')).filter(({ kind, metadata }) =>
      kind === 'Deployment' && metadata.name === 'sink'
    )
    const pod = stringify(podOf(sink!))
    t.match(dryRun(pod.replace('runAsNonRoot: true', 'runAsNonRoot: false')), {
      ok: false,
      text: /violates PodSecurity "restricted:latest".*runAsNonRoot/s,
    })
    t.match(dryRun(pod.replace('allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true')), {
      ok: false,
      text: /violates PodSecurity/,
    })
    t.match(dryRun(pod.replace('containerPort: 8304', 'containerPort: 99999')), {
      ok: false,
      text: /must be between 1 and 65535/,
    })
  }
)
