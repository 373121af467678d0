// The workflows, as actionlint sees them.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { actionlintVersion, faultsOf } from '../services/actionlint.ts'

const folder = resolve(import.meta.dirname, '../../.github/workflows')

t.test(`actionlint ${actionlintVersion()} finds nothing, and would find what is wrong`, (t) => {
  const files = readdirSync(folder)
  t.strictSame(files, ['ci.yml', 'release.yml'])
  for (const file of files) t.strictSame(faultsOf(readFileSync(join(folder, file), 'utf8')), [], file)
  const text = readFileSync(join(folder, 'ci.yml'), 'utf8')
  t.match(faultsOf(text.replace('matrix.suite }}', 'matrix.suit }}')), [/property "suit" is not defined/])
  t.match(faultsOf(text.replace('timeout-minutes: 30', 'timeout-minute: 30')), [/unexpected key "timeout-minute"/])
  t.end()
})
