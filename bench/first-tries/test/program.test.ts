import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const ROOT = resolve(import.meta.dirname, '../../..')

/** What the benchmark prints on stdout. */
async function run (...args: string[]): Promise<string> {
  const program = ['--import=./scripts/strip-types/register.js', 'bench/first-tries.ts', ...args]
  return (await promisify(execFile)(process.execPath, program, { cwd: ROOT })).stdout
}

const LEVEL = 'memory-new-level'

t.test('the document has figures for both scorings, for each kind and in all', async (t) => {
  const { batch, causal, ...rest } = JSON.parse(await run('--json', '--seeds', '2', '--kind', LEVEL, '--set', 'test'))
  t.same(rest, { set: 'test', seeds: 2 })
  for (const { all, kinds } of [batch, causal]) {
    t.match(all, { cases: 2, found: 100, refused: 0, blamed: null })
    t.same(kinds, { [LEVEL]: all })
  }
})

t.test('the table has a line for each kind, and the failures say what was to be found', async (t) => {
  const module = t.testdir({
    'kinds.mjs': `const flat = { step: 'PT1M', channels: { value: new Array(11).fill(1) } }
      export const KINDS = {
        'flat': () => ({ ...flat, labels: [] }),
        'labelled': () => ({ ...flat, labels: [{ from: 7, to: 8, channels: ['value'] }] }),
      }`,
  })
  const text = await run('--kinds', `${module}/kinds.mjs`, '--seeds', '1', '--scoring', 'batch', '--failures')
  t.match(text, /^\| labelled \| 1 \| 0 \| 0\.00 \| 0 \| 0\.00 \| – \| – \| 1 \|$/m)
  t.match(text, /^labelled-dev-1, 11 rows: series-too-short\n {2}labels: 7–8 value\n {2}found: {2}none$/m)
  t.notMatch(text, /causal/)
})

t.test('a kind that does not exist is named, with those that do', async (t) => {
  await t.rejects(run('--kind', 'none'), { message: new RegExp(`no kind "none"; kinds: .*${LEVEL}`) })
})
