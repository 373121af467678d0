// The live page over a real Kafka and InfluxDB: a fault is on the screen within two seconds of its observation being
// posted, and what a person says of it goes into the database and into the feedback for retraining.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { listFeedback } from '../../adapters/registry/feedback.ts'
import { folderStore } from '../../adapters/registry/folder-store.ts'
import { Registry } from '../../adapters/registry/registry.ts'
import { parseSettings } from '../../adapters/settings/values.ts'
import { writePackage } from '../../adapters/tfjs/test/linear-packages.ts'
import { windSeries } from '../../model-serving/test/fixture.ts'
import { openDatabase } from '../../pipelines/adapters/open-database.ts'
import { DATABASE_SETTINGS } from '../../pipelines/settings/database.ts'
import { influxdbVersion } from '../services/influxdb.ts'
import { kafkaVersion } from '../services/kafka.ts'
import { Stack } from '../stack/stack.ts'
import { observationOf, post } from './stream-load.ts'
import { launchChromium } from './chromium.ts'

t.setTimeout(300_000)

const folder = mkdtempSync(join(tmpdir(), 'stream-page-'))
const logs = join(resolve(import.meta.dirname, '../..'), '.cache/integration/stream-page')
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })
const store = folderStore(join(folder, 'registry'))
const registry = new Registry(store, Date.now)
await registry.publish('wind', await writePackage(join(folder, 'package'), 'wind', windSeries(600)))
await registry.promote('wind', 1)
const stack = await Stack.start({
  folder: logs,
  registry: join(folder, 'registry'),
  steps: ['collector', 'imputer', 'scorer', 'sink', 'dashboard'],
  built: true,
  env: { LOG_LEVEL: 'warn' },
})
t.teardown(async () => stack.stop())
const browser = await launchChromium()
t.teardown(async () => browser.close())
t.comment(`Kafka ${kafkaVersion()}, InfluxDB ${influxdbVersion()}, Chromium ${browser.version()}`)

const NAMES = Array.from({ length: 20 }, (_, i) => `W${String(i + 1).padStart(2, '0')}`)
const FAULTY = 'W13'
const LENGTH = 120
const fleet = new Map(NAMES.map((name) => [name, windSeries(LENGTH + 40, name)]))
const collector = stack.step('collector').url
const instant = (i: number, change: (name: string) => object = () => ({})) => NAMES.map((name) => {
  const found = observationOf(name, fleet.get(name)!, i)!
  return { ...found, values: { ...found.values, ...change(name) } }
})

t.test('a fault is shown within two seconds; once acknowledged or called a false alarm, it stays so', async (t) => {
  for (let i = 0; i < LENGTH; i++) await post(collector, instant(i))
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(20_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()) })
  await page.goto(stack.step('dashboard').url)
  await page.locator('#connection[data-state="live"]').waitFor()
  await page.locator('.fleet li').nth(NAMES.length - 1).waitFor()
  await page.locator(`[data-series="${FAULTY}"] .tile[data-state="normal"]`).waitFor()

  // No power, whatever the wind.
  const broken = (name: string) => name === FAULTY ? { power_kw: -900 } : {}
  const began = performance.now()
  await post(collector, instant(LENGTH, broken))
  await page.locator(`[data-series="${FAULTY}"] .tile[data-state="anomalous"]`).waitFor()
  await page.locator('.incident .jump', { hasText: FAULTY }).first().waitFor()
  const took = performance.now() - began
  t.comment(`on the screen ${Math.round(took)} ms after it was posted`)
  t.ok(took < 2000, `${Math.round(took)} ms`)
  await page.locator(`.fleet li:first-child[data-series="${FAULTY}"]`).waitFor()
  for (let i = 1; i < 20; i++) {
    await post(collector, instant(LENGTH + i, broken))
    await sleep(50)
  }
  await page.screenshot({ path: join(logs, 'fleet.png') })

  const incident = page.locator('.incident').first()
  const id = (await incident.getAttribute('data-id'))!
  await incident.locator('[data-kind="acknowledged"]').click()
  await incident.locator('[data-kind="acknowledged"][aria-pressed="true"]').waitFor()
  await incident.locator('[data-kind="false-alarm"]').click()
  await incident.locator('[data-kind="false-alarm"][aria-pressed="true"]').waitFor()
  const database = await openDatabase(parseSettings(z.object(DATABASE_SETTINGS), { ...stack.env }))
  t.teardown(async () => database.close())
  let kept = await database.incident(id)
  for (
    const end = Date.now() + 20_000; kept?.feedback == null && Date.now() < end; kept = await database.incident(id)
  ) await sleep(100)
  t.match(kept, { series: FAULTY, feedback: 'false-alarm', acknowledgedAt: /^20/ })
  t.match(await listFeedback(store, 'wind'), [{ label: 'false-alarm', series: FAULTY, model: 'wind' }])

  await page.locator(`[data-series="${FAULTY}"] a`).first().click()
  await page.locator('.row canvas').first().waitFor()
  await sleep(500)
  await page.screenshot({ path: join(logs, 'series.png') })
  await page.reload()
  await page.locator('.row canvas').first().waitFor()
  t.match(await page.url(), new RegExp(FAULTY), 'the address says what is shown')
  t.same(faults, [])
})
