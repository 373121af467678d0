// What the check of the manifests refuses; that it passes all of ours is `npm run check:manifests` itself.
import t from 'tap'
import { applicable, checked, rendered } from '../check-manifests.ts'

t.test('every overlay is looked at', (t) => {
  t.strictSame(applicable(), [
    'overlays/keda',
    'overlays/keda-sasl',
    'overlays/knative',
    'overlays/local',
    'overlays/production',
    'monitoring',
    'monitoring/operator',
  ])
  t.throws(() => rendered('overlays/nowhere'), { message: /nowhere/ })
  t.end()
})

t.test('kubeconform refuses what is wrong, also in custom resources', (t) => {
  const service = rendered('overlays/production')
  t.match(checked(service.replace('containerPort: 8282', 'containerPort: http')), {
    ok: false,
    report: /StatefulSet ae-ano-detection is invalid/,
  })
  t.match(checked(service.replace('topologyKey:', 'topologyKeys:')), { ok: false, report: /topologyKey/ })
  const scaled = rendered('overlays/keda')
  t.match(checked(scaled.replace('maxReplicaCount:', 'maxReplicas:')), {
    ok: false,
    report: /ScaledObject .* is invalid.*maxReplicas/s,
  })
  t.match(checked(rendered('overlays/knative').replace('containerConcurrency: 16', 'containerConcurrency: some')), {
    ok: false,
    report: /Service ae-ano-detection is invalid/,
  })
  t.match(
    checked(scaled.replaceAll('keda.sh/v1alpha1', 'keda.sh/v9')),
    { ok: false },
    'what nobody knows is not skipped'
  )
  t.end()
})
