// The registry on a real MinIO: the same laws as on a folder, and what only a bucket has.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'minio'
import t from 'tap'
import { bucketSettings } from '../../adapters/registry/open-store.ts'
import { bucketStore } from '../../adapters/registry/bucket-store.ts'
import { LAWS } from '../../adapters/registry/test/laws.ts'
import { minioVersion, startMinio } from '../services/minio.ts'

t.setTimeout(300_000)

const minio = await startMinio({ folder: mkdtempSync(join(tmpdir(), 'minio-')) })
t.teardown(async () => minio.stop())
t.comment(`MinIO ${minioVersion()} at ${minio.url}`)
const access = {
  AWS_ENDPOINT_URL: minio.url,
  AWS_ACCESS_KEY_ID: minio.accessKey,
  AWS_SECRET_ACCESS_KEY: minio.secretKey,
}
const { hostname, port } = new URL(minio.url)
const client = new Client({
  endPoint: hostname,
  port: Number(port),
  useSSL: false,
  accessKey: minio.accessKey,
  secretKey: minio.secretKey,
})
await client.makeBucket('models')
const open = (prefix: string) => bucketStore(bucketSettings('MODEL_REGISTRY', `s3://models/${prefix}`, access))

for (const [i, [name, law]] of Object.entries(LAWS).entries()) {
  t.test(name, async (t) => {
    const store = open(`law-${i}`)
    t.teardown(() => { store.close() })
    await law(t, store)
  })
}

t.test('changes are told of, also after the server was away', async (t) => {
  const store = open('watched')
  const heard = { changes: 0 }
  const watch = store.watch('models/', () => { heard.changes++ })
  t.teardown(() => {
    watch.close()
    store.close()
  })
  // The first may come before somebody listens; and this build of MinIO sends nothing before it has 4 kB to send, some
  // four changes.
  const isTold = async (name: string): Promise<boolean> => {
    heard.changes = 0
    for (let i = 0; heard.changes === 0 && i < 40; i++) {
      await store.create(`models/a/${name}-${i}`, new Uint8Array(1))
      await sleep(500)
    }
    return heard.changes > 0
  }
  t.ok(await isTold('before'))
  await minio.kill()
  await sleep(1000)
  await minio.restart()
  t.ok(await isTold('after'))
})

t.test('what keeps a bucket from being used is told, with the remedy', async (t) => {
  const missing = bucketStore(bucketSettings('MODEL_REGISTRY', 's3://no-such-bucket', access))
  const stranger = bucketStore(
    bucketSettings('MODEL_REGISTRY', 's3://models', { ...access, AWS_SECRET_ACCESS_KEY: 'wrong-secret' })
  )
  const absent = bucketStore(
    bucketSettings('MODEL_REGISTRY', 's3://models', { ...access, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })
  )
  await t.rejects(missing.list(''), {
    code: 'registry-unavailable',
    message: /s3:\/\/no-such-bucket cannot be used \(NoSuchBucket\)/,
  })
  await t.rejects(stranger.create('a', new Uint8Array(1)), {
    code: 'registry-unavailable',
    message: /SignatureDoesNotMatch/,
  })
  await t.rejects(absent.get('a'), { code: 'registry-unavailable', message: /ECONNREFUSED/ })
  for (const store of [missing, stranger, absent]) store.close()
})
