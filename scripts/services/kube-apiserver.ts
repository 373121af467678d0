// The API server of Kubernetes with an etcd of its own: no node, no controller; it judges what it is given, as any
// cluster's would.
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { controlled, freePort, installed, SERVICES_DIR, startServer } from './server.ts'

const VERSION = '1.34.2'
const FOLDER = join(SERVICES_DIR, `kubernetes-${VERSION}`)
/** Two compilers need some minutes where nothing is cached. */
const BUILD_MS = 1_500_000
const READY_MS = 60_000
const ASK_MS = 60_000

export interface Answer {
  readonly ok: boolean
  /** What kubectl said, on both channels. */
  readonly text: string
}

export interface KubeApiserver {
  /** @param input for `-f -` */
  kubectl (args: readonly string[], input?: string): Answer
  stop (): Promise<void>
}

/** etcd is Debian's. */
export function installKubeApiserver (): void {
  if (!existsSync(etcd())) {
    execFileSync('bash', [join(import.meta.dirname, '../apt-install.sh'), 'etcd-server'], {
      stdio: 'inherit',
      timeout: BUILD_MS,
    })
  }
  execFileSync('bash', [join(import.meta.dirname, 'install-kube-apiserver.sh'), VERSION, FOLDER], {
    stdio: 'inherit',
    timeout: BUILD_MS,
  })
}

const etcd = (): string => spawnSync('sh', ['-c', 'command -v etcd'], { encoding: 'utf8' }).stdout.trim()

export const kubeApiserverVersion = (): string => VERSION

/** @throws Error where it is not installed or does not start */
export async function startKubeApiserver (): Promise<KubeApiserver> {
  const program = installed(join(FOLDER, 'kube-apiserver'), 'kube-apiserver')
  const folder = mkdtempSync(join(tmpdir(), 'kube-apiserver-'))
  const store = await startEtcd(folder)
  const port = await freePort()
  const token = randomBytes(18).toString('hex')
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const server = await controlled(async () =>
    startServer({
      program,
      args: [
        `--etcd-servers=${store.url}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${join(folder, 'certificates')}`,
        `--token-auth-file=${file('tokens.csv', `${token},admin,admin,system:masters\n`)}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${file('public.pem', keys.publicKey)}`,
        `--service-account-signing-key-file=${file('private.pem', keys.privateKey)}`,
      ],
      log: join(folder, 'kube-apiserver.log'),
      readyUrl: `tcp://127.0.0.1:${port}`,
    }), {})
  const kubectl: KubeApiserver['kubectl'] = (args, input = '') => {
    const access = [
      `--server=https://127.0.0.1:${port}`,
      '--insecure-skip-tls-verify',
      `--token=${token}`,
      '--kubeconfig=/dev/null',
    ]
    const { status, stdout, stderr } = spawnSync(join(FOLDER, 'kubectl'), [...access, ...args], {
      encoding: 'utf8',
      input,
      timeout: ASK_MS,
      env: { HOME: folder },
    })
    return { ok: status === 0, text: `${stdout}${stderr}` }
  }
  const stop = async (): Promise<void> => {
    await server.stop()
    await store.stop()
  }
  for (const end = Date.now() + READY_MS; !kubectl(['get', '--raw', '/readyz']).ok; await sleep(200)) {
    if (Date.now() < end) continue
    await stop()
    throw new Error(`kube-apiserver does not become ready; its log is in ${folder}`)
  }
  return { kubectl, stop }
}

async function startEtcd (folder: string): Promise<{ readonly url: string, stop (): Promise<number | null> }> {
  const [url, peers] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  mkdirSync(join(folder, 'etcd'), { recursive: true, mode: 0o700 })
  return controlled(async () =>
    startServer({
      program: installed(etcd(), 'kube-apiserver'),
      args: [
        '--data-dir',
        join(folder, 'etcd'),
        '--listen-client-urls',
        url,
        '--advertise-client-urls',
        url,
        '--listen-peer-urls',
        peers,
        '--initial-advertise-peer-urls',
        peers,
        '--initial-cluster',
        `default=${peers}`,
      ],
      log: join(folder, 'etcd.log'),
      readyUrl: `${url}/health`,
    }), { url })
}
