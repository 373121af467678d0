// What a server says → the problem that callers act on; and rows that end with an error.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type InfluxRequest, influxProblem, openInflux, rowsOf } from '../client.ts'

const REQUEST: InfluxRequest = {
  bucket: 'plant',
  wants: 'read',
  refusal: 'invalid-request',
  noBucket: (what) => `${what}; make it.`,
}

/** The rows of a query, or the problem, of a server that answers so. */
async function asked (t: Test, status: number, body: string, type = 'application/json') {
  const server = createServer((_, answer) => {
    answer.writeHead(status, { 'content-type': type }).end(body)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  const access = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: 'hush', org: 'works' }
  const values: string[][] = []
  try {
    for await (const row of rowsOf(openInflux(access, 5000), access.org, 'buckets()')) values.push(row.values)
    return values
  } catch (error) {
    return influxProblem(error as Error, access, REQUEST)
  }
}

const said = (message: string): string => JSON.stringify({ code: 'x', message })

t.test('each answer of a server is one kind of problem', async (t) => {
  const cases: Array<[number, string, string, RegExp]> = [
    [401, 'unauthorized access', 'invalid-settings', /refuses the token; check INFLUX_TOKEN, .* may read the bucket/],
    [403, 'forbidden', 'invalid-settings', /refuses the token/],
    [404, 'organization name "works" not found', 'invalid-settings', /no organisation "works".*check INFLUX_ORG/],
    [
      400,
      'failed to decode request body: organization name "works" not found',
      'invalid-settings',
      /no organisation "works".*check INFLUX_ORG/,
    ],
    [400, 'partial write: organization name "works" not found', 'invalid-request', /refuses it .*partial write/],
    [404, 'failed: could not find bucket "plant"', 'invalid-settings', /no bucket "plant".* may read; make it\.$/],
    [400, 'field type conflict in bucket', 'invalid-request', /refuses it for the bucket "plant": .*field type/],
    [503, 'the bucket is busy', 'server-unavailable', /cannot do it now: .*busy/],
    [429, 'slow down', 'server-unavailable', /cannot do it now/],
    [429, 'organization 07 has exceeded limited_write plan limit', 'server-unavailable', /cannot do it now/],
    [400, "unable to parse 'verdict,series=organization'", 'invalid-request', /refuses it .*unable to parse/],
    [422, 'type conflict: input field "organization"', 'invalid-request', /refuses it .*type conflict/],
  ]
  for (const [status, message, code, sentence] of cases) {
    const problem = await asked(t, status, said(message))
    t.match(problem, { code, message: sentence }, `${status} ${message}`)
    t.notMatch((problem as Error).message, /hush/)
  }
})

t.test('rows come as they are, and a table of errors ends them', async (t) => {
  const head = '#datatype,string,long,string\n#group,false,false,false\n#default,_result,,\n'
  const rows = `${head},result,table,_value\n,,0,a\n`
  t.same(await asked(t, 200, rows, 'text/csv'), [['', '0', 'a']])
  const error = '#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,ran out of memory,\n'
  t.match(await asked(t, 200, `${rows}\n${error}`, 'text/csv'), {
    code: 'server-unavailable',
    message: /cannot do it now: ran out of memory/,
  })
})

t.test('a server that is not there is named by its variable', async (t) => {
  const access = { url: 'http://127.0.0.1:1/', token: 'hush', org: 'works' }
  const error = await rowsOf(openInflux(access, 5000), 'works', 'buckets()').next().catch((thrown: Error) => thrown)
  t.match(influxProblem(error as Error, access, REQUEST), {
    code: 'server-unavailable',
    message: /127\.0\.0\.1:1 does not answer; check INFLUX_URL.*ECONNREFUSED/,
  })
})
