import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { readCorpus } from '../corpus.ts'

t.test('the repository of the benchmark', async (t) => {
  const rows = ['00:00:00,5', '00:05:00,6', '00:10:00,7', '00:15:00,8'].map((row) => `2014-04-01 ${row}`)
  const folder = t.testdir({
    data: { one: { 'a.csv': `timestamp,value\r\n${rows.join('\r\n')}\r\n` } },
    labels: {
      'combined_windows.json': JSON.stringify({
        'one/a.csv': [['2014-04-01 00:05:00.000000', '2014-04-01 00:10:00.000000']],
      }),
    },
  })
  const [file, ...others] = await readCorpus(folder)
  t.same(others, [])
  t.match(file, { name: 'one/a.csv', windows: [[1, 2]] })
  t.match(file!.series, { start: Date.UTC(2014, 3, 1), interval: 300_000, length: 4, channels: ['value'] })
  t.same([...file!.series.values], [5, 6, 7, 8])
})

t.test('its files within TSB-AD-U, also by the folder above', async (t) => {
  const folder = t.testdir({ 'tsb-ad-u': { '140_MSL_id_1_tr_1_1st_1.csv': 'c0,label\n1,0\n' } })
  const name = '001_NAB_id_1_Facility_tr_2_1st_3.csv.gz'
  await writeFile(join(folder, 'tsb-ad-u', name), gzipSync('c0,label\n1,0\n2,1\n3,1\n4,0\n5,1\n'))
  for (const place of [folder, join(folder, 'tsb-ad-u')]) {
    const [file, ...others] = await readCorpus(place)
    t.same(others, [])
    t.same(file!.windows, [[1, 2], [4, 4]])
    t.match(file, { name, series: { length: 5, channels: ['c0'] } })
  }
  await t.rejects(readCorpus(t.testdir({ 'other.csv': '' })), /neither/)
})
