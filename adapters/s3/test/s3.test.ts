// Where a store is, what its errors mean, and a client that waits for no store forever.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { parseLocation, storeAccess } from '../access.ts'
import { Connections } from '../client.ts'
import { faultOf, reasonOf } from '../faults.ts'

const VARIABLES = { AWS_ENDPOINT_URL: 'https://store:9000', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' }

t.test('the variables of a store, and what is missing', (t) => {
  t.match(storeAccess(VARIABLES), { endpoint: new URL('https://store:9000'), accessKey: 'a', region: 'us-east-1' })
  t.notOk('sessionToken' in storeAccess({ ...VARIABLES, AWS_SESSION_TOKEN: '' }))
  t.equal(storeAccess({ ...VARIABLES, AWS_REGION: '', AWS_DEFAULT_REGION: 'eu' }).region, 'eu')
  t.throws(() => storeAccess({ AWS_ENDPOINT_URL: 'https://store' }, 'MODEL_REGISTRY is "s3://m"'), {
    code: 'invalid-settings',
    message: /^AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY are not set, and MODEL_REGISTRY is "s3:\/\/m"; set AWS_/,
  })
  t.throws(() => storeAccess({ ...VARIABLES, AWS_ENDPOINT_URL: 'ftp://hush' }), {
    code: 'invalid-settings',
    message: /^AWS_ENDPOINT_URL is not a URL(?!.*hush)/,
  })
  t.same(parseLocation('s3://plant/raw/2026'), { bucket: 'plant', path: 'raw/2026' })
  t.same(parseLocation('s3://plant'), { bucket: 'plant', path: '' })
  for (const text of ['s3://', 's3://UPPER', 'plant/raw']) t.equal(parseLocation(text), undefined)
  t.end()
})

t.test('errors of a store are told apart by code or name', (t) => {
  t.equal(faultOf({ code: 'NoSuchKey' }), 'no-object')
  t.equal(faultOf({ name: 'InvalidBucketNameError' }), 'bad-bucket-name')
  t.equal(faultOf({ code: 'PreconditionFailed' }), 'exists')
  t.equal(faultOf(Object.assign(new Error('x'), { code: 'ECONNRESET' })), undefined)
  t.equal(reasonOf({ code: 'ECONNREFUSED', message: '' }), 'ECONNREFUSED')
  t.equal(reasonOf({}), 'unknown')
  t.end()
})

t.test('a store that says nothing is given up, and so is one that a caller no longer waits for', async (t) => {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close().closeAllConnections() })
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const connections = new Connections()
  t.teardown(() => { connections.destroy() })
  const access = { endpoint, accessKey: 'a', secretKey: 's', region: 'us-east-1' }
  const impatient = connections.client(access, { idleMs: 50 })
  await t.rejects(impatient.getObject('plant', 'x'), { message: /no answer for 0.05 s/ })
  const signal = AbortSignal.timeout(50)
  await t.rejects(connections.client(access, { idleMs: 60_000, signal }).getObject('plant', 'x'))
})
