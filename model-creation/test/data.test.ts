// `npm run data` and DVC's folder hash: the command reproduces the pinned data set byte for byte, without DVC and
// without a remote.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { WIND_FARM_DEFAULTS } from '../../simulator/simulate.ts'
import { dvcFolderHash, dvcOut, fileHash, hashFolder, readDvcFile } from '../adapters/dvc-hash.ts'
import { main, writeData } from '../data.ts'

const root = join(import.meta.dirname, '..', '..')

t.test('the command makes exactly the folder that data.dvc pins', async (t) => {
  const out = join(t.testdir({}), 'farm')
  const pinned = await readDvcFile(join(root, 'data.dvc'))
  let printed = ''
  await main(['--out', out], (text) => { printed += text })
  t.strictSame(dvcOut('data', await hashFolder(out)), pinned)
  t.equal(printed, `${out}: written, seed ${WIND_FARM_DEFAULTS.seed}, md5 ${pinned.md5}\n`)
})

t.test('a folder has the same hash as with DVC 3.67.1, whatever its names', (t) => {
  // Recorded with `dvc add` on these five files: whole paths are sorted, by code point, and listed in ASCII.
  const files = { 'a/b.txt': 'one', 'a-b.txt': 'two', 'é "q".txt': 'three', '😀.txt': 'four', 'ﬀ.txt': 'five' }
  const entries = Object.entries(files).map(([path, text]) => fileHash(path, text))
  t.strictSame(dvcOut('odd', entries), {
    md5: 'dcf39661d6de56dbdba51f7ef6ecaba1.dir',
    size: 19,
    nfiles: 5,
    hash: 'md5',
    path: 'odd',
  })
  t.equal(dvcFolderHash(entries.toReversed()), dvcFolderHash(entries), 'in any order')
  t.end()
})

t.test('a folder on disk hashes like its files in memory', async (t) => {
  const folder = t.testdir({ 'README.md': 'read me', turbines: { 'T01.csv': 'a,b\n', 'T02.csv': '' } })
  const entries = await hashFolder(folder)
  t.equal(
    dvcFolderHash(entries),
    dvcFolderHash([
      fileHash('turbines/T02.csv', ''),
      fileHash('README.md', 'read me'),
      fileHash('turbines/T01.csv', 'a,b\n'),
    ])
  )
  t.strictSame(await hashFolder(join(folder, 'nowhere')), [], 'a missing folder has no files')
  await t.rejects(hashFolder(join(folder, 'README.md')), { code: 'ENOTDIR' })
})

t.test('a .dvc file that does not pin one folder is refused', async (t) => {
  const folder = t.testdir({ 'two.dvc': 'outs:\n- path: a\n- path: b\n', 'empty.dvc': '' })
  await t.rejects(readDvcFile(join(folder, 'two.dvc')), { code: 'invalid-settings' })
  await t.rejects(readDvcFile(join(folder, 'empty.dvc')), { code: 'invalid-settings' })
})

t.test('a folder is written once, kept if it is right, and replaced if it is not', async (t) => {
  const out = join(t.testdir({}), 'farm')
  const small = { turbines: 1, days: 5, trainingDays: 5 }
  const first = await writeData(out, small)
  t.equal(first.written, true)
  t.equal(dvcFolderHash(await hashFolder(out)), first.md5)
  t.strictSame(await writeData(out, small), { ...first, written: false })
  await writeFile(join(out, 'labels.csv'), 'damaged')
  t.strictSame(await writeData(out, small), first)
  t.equal(dvcFolderHash(await hashFolder(out)), first.md5)
  const other = await writeData(out, { ...small, seed: 'other' })
  t.ok(other.written && other.md5 !== first.md5, 'another seed replaces it')
})

t.test('a folder with other files is never replaced', async (t) => {
  const out = t.testdir({ 'thesis.txt': 'years of work' })
  await t.rejects(writeData(out, { turbines: 1, days: 1, trainingDays: 1 }), {
    code: 'invalid-settings',
    message: /thesis\.txt/,
  })
  t.equal(await readFile(join(out, 'thesis.txt'), 'utf8'), 'years of work')
})

t.test('help names the options, and an unknown option is an error', async (t) => {
  let help = ''
  await main(['--help'], (text) => { help += text })
  for (const option of ['--out', '--seed', '--help']) t.match(help, option)
  await t.rejects(main(['--sed', 'x'], () => {}), /--sed/)
})
