// `npm run check:manifests`: renders every overlay of kubernetes/ with kustomize, and checks it with kubeconform,
// strictly. Installs both where they are missing.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installKubernetesTools, programOf, SCHEMA_LOCATIONS, versionsOfTools } from './services/kubernetes-tools.ts'

const CHECK_MS = 60_000

const KUBERNETES_DIR = join(import.meta.dirname, '../kubernetes')

/** Folders that are applied, from kubernetes/. */
export function applicable (): string[] {
  const overlays = readdirSync(join(KUBERNETES_DIR, 'overlays')).filter((name) =>
    existsSync(join(KUBERNETES_DIR, 'overlays', name, 'kustomization.yaml'))
  ).sort()
  return [...overlays.map((name) => `overlays/${name}`), 'monitoring', 'monitoring/operator']
}

/** @param folder of a kustomization, from kubernetes/. @throws Error with what kustomize says */
export function rendered (folder: string): string {
  const { status, stdout, stderr } = spawnSync(programOf('kustomize'), ['build', join(KUBERNETES_DIR, folder)], {
    encoding: 'utf8',
    timeout: CHECK_MS,
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** @returns what kubeconform says of the resources that are not valid, and how many there are */
export function checked (manifests: string): { readonly ok: boolean, readonly report: string } {
  const locations = SCHEMA_LOCATIONS.flatMap((location) => ['-schema-location', location])
  const { status, stdout, stderr } = spawnSync(programOf('kubeconform'), ['-strict', '-summary', ...locations, '-'], {
    input: manifests,
    encoding: 'utf8',
    timeout: CHECK_MS,
  })
  return { ok: status === 0, report: `${stdout}${stderr}`.trim() }
}

const say = (line: string): void => { process.stdout.write(`${line}\n`) }

if (process.argv[1] === import.meta.filename) {
  installKubernetesTools()
  say(versionsOfTools())
  for (const name of applicable()) {
    const { ok, report } = checked(rendered(name))
    say(`${ok ? 'ok' : 'WRONG'}  ${name}: ${report}`)
    if (!ok) process.exitCode = 1
  }
}
