// The page in a real browser, talking to the real service: examples, files, keys, themes, narrow screens, refusals and
// ill-natured names.
import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContext, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { type Series, slice } from '../../core/series/series.ts'
import { simulateFarm } from '../../simulator/simulate.ts'
import { buildApp } from '../app.ts'
import { ServedModels } from '../packages/served-models.ts'
import type { Answer } from '../plot/svg.ts'
import { launchChromium } from '../../scripts/test/chromium.ts'
import { csvOf, onThisThread, smallModel, testApp, testConfig, turbineModel, windSeries } from './fixture.ts'
import { renamed, syntheticAnswer } from './synthetic-answer.ts'

const WAIT_MS = 10_000
t.setTimeout(120_000)

/** Five days of a healthy turbine. */
function healthySeries (): Series {
  return slice(simulateFarm({ turbines: 1, days: 14, trainingDays: 14 }).turbines[0]!.series, 0, 720)
}

/** The same with a bearing far too hot for half a day, and two hours without power readings. */
function faultySeries (): Series {
  const series = healthySeries()
  const values = series.values.slice()
  const set = (channel: string, from: number, to: number, change: (value: number) => number): void => {
    const c = series.channels.indexOf(channel)
    for (let i = from; i < to; i++) {
      values[i * series.channels.length + c] = change(values[i * series.channels.length + c]!)
    }
  }
  set('gearbox_bearing_temp_c', 100, 180, (value) => value + 150)
  set('power_kw', 230, 242, () => NaN)
  return { ...series, values }
}

const healthy = csvOf(healthySeries())
const faulty = csvOf(faultySeries())

interface Service {
  readonly url: string
  readonly close: () => Promise<unknown>
}

/** The real service on a free port, with the wind farm's model and a small one. */
async function startService (): Promise<Service> {
  const app = await testApp([await turbineModel(), smallModel])
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: async () => app.close() }
}

let browser: Browser
let context: BrowserContext
let service: Service
t.before(async () => {
  service = await startService()
  browser = await launchChromium()
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(WAIT_MS)
})
t.teardown(async () => {
  await browser.close()
  await service.close()
})

/** A tab, and what went wrong in it. */
async function openTab (t: Test): Promise<{ page: Page, faults: string[] }> {
  const page = await context.newPage()
  t.teardown(async () => page.close())
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => undefined)
  })
  // A refusal by the service is logged by the browser, too; everything else is a fault (a breach of the content policy,
  // a missing file).
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (4|503)/.test(message.text())) faults.push(message.text())
  })
  return { page, faults }
}

/** A tab on the page. */
async function open (t: Test): Promise<{ page: Page, faults: string[] }> {
  const { page, faults } = await openTab(t)
  await page.goto(service.url)
  await page.waitForSelector('#model option', { state: 'attached' })
  return { page, faults }
}

/** Gives the page a file, as the file dialog would. */
async function upload (page: Page, name: string, text: string): Promise<void> {
  await page.setInputFiles('#file', { name, mimeType: 'text/csv', buffer: Buffer.from(text) })
}

/** What the service says of a table to a caller who is no page. */
async function scored (text: string): Promise<Answer> {
  const query = 'model=wind-turbine&include=score,isAnomaly,observed,expected,bounds,contributions,anomalies,quality'
  const response = await fetch(`${service.url}/compute?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv', accept: 'application/json' },
    body: text,
  })
  return await response.json() as Answer
}

/** Waits for a text; strings are not evaluated in the page, whose content policy forbids it. */
async function hears (page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ state: 'attached' })
}

/** Waits until the page tells an answer. */
async function results (page: Page): Promise<void> {
  await page.waitForSelector('#results:not([hidden]) canvas')
  await page.waitForSelector('#progress', { state: 'hidden' })
}

const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).textContent()) ?? ''

/** The part of the time that the chart shows, milliseconds. */
async function view (page: Page): Promise<{ from: number, to: number }> {
  const [from, to] = await Promise.all(['from', 'to'].map(async (end) => page.getAttribute('#chart', `data-${end}`)))
  return { from: Date.parse(from ?? ''), to: Date.parse(to ?? '') }
}

/** Number of different colours on the chart's canvas. */
async function colours (page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector('#chart canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })()`)
}

t.test('it opens with a title, the served models and no fault', async (t) => {
  const { page, faults } = await open(t)
  t.equal(await page.title(), 'Time-series anomaly detection')
  const options = await page.locator('#model option').allTextContents()
  t.same(options, [
    'Match by the channels',
    'wind-turbine 1 (linear)',
    'small 1 (linear)',
    'ad-hoc (fitted on the file)',
  ])
  await page.selectOption('#model', 'small')
  t.match(await textOf(page, '#model-facts'), /Expects 2 channels, one observation every 10 min.*wind_speed_ms/s)
  t.same(await page.locator('h1').count(), 1)
  t.same(faults, [])
})

t.test('a file becomes a summary, a chart, anomalies and a table of its quality', async (t) => {
  const { page, faults } = await open(t)
  const answer = await scored(faulty)
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  const anomalies = answer.anomalies ?? []
  t.ok(anomalies.length > 0, 'the fault is found')
  t.equal(await page.locator('#anomalies button').count(), anomalies.length)
  t.match(
    await textOf(page, '#summary'),
    new RegExp(`^${anomalies.length} anomal(y|ies) in 5 days; .*(level|relation|spike): .*gearbox_bearing_temp_c`)
  )
  t.match(await textOf(page, '#facts'), /turbine\.csv.*720 observations × 11 channels, every 10 min/)
  t.match(await page.locator('#quality tr').allTextContents(), [/^power_kw12\d+00$/])
  t.equal(await textOf(page, '#quality-note'), '10 other channels complete and in order.')
  t.equal(await textOf(page, '#live'), await textOf(page, '#summary'), 'and a screen reader hears the summary')
  t.ok(await colours(page) > 50, 'the chart is drawn')
  t.same(faults, [])
})

t.test('a healthy series is told as such', async (t) => {
  const { page, faults } = await open(t)
  await upload(page, 'healthy.csv', healthy)
  await results(page)
  t.match(await textOf(page, '#summary'), /^No anomalies in 5 days; highest score [\d.]+, threshold 1\.$/)
  t.equal(await page.locator('#anomaly-section').isVisible(), false)
  t.same(faults, [])
})

t.test('channels that no model has are scored by a model of the file, and the page says so', async (t) => {
  const { page, faults } = await open(t)
  t.match(await textOf(page, '#model-facts'), /If there is none, it fits one on the file itself \(ad-hoc\)/)
  await upload(page, 'mine.csv', csvOf({ ...windSeries(200), channels: ['a', 'b'] }))
  await results(page)
  t.match(await textOf(page, '#facts'), /mine\.csv.*ad-hoc 1 \(ensemble\)/)
  await page.selectOption('#model', 'ad-hoc')
  t.match(await textOf(page, '#model-facts'), /^A model is fitted on the file itself/)
  t.same(faults, [])
})

t.test('what counts as an anomaly can be set, and the summary follows the verdicts', async (t) => {
  const { page, faults } = await open(t)
  const queries: URLSearchParams[] = []
  page.on('request', (request) => {
    if (request.url().includes('/compute')) queries.push(new URL(request.url()).searchParams)
  })
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  t.notOk(
    ['sensitivity', 'minDuration', 'mergeGap', 'adaptive'].some((name) => queries[0]!.has(name)),
    'nothing is sent that stands at its default'
  )
  await page.locator('.tune summary').click()
  const set = async (change: () => Promise<unknown>): Promise<URLSearchParams> => {
    const answered = page.waitForResponse((response) => response.url().includes('/compute'))
    await change()
    await (await answered).finished()
    await results(page)
    return queries.at(-1)!
  }
  const fewer = await set(async () => page.locator('#sensitivity').fill('0'))
  t.equal(fewer.get('sensitivity'), '0')
  t.equal(await textOf(page, '#sensitivity-value'), '0')
  await set(async () => page.locator('#sensitivity').fill('0.5'))
  const longest = await set(async () => page.selectOption('#minDuration', 'P1D'))
  t.equal(longest.get('minDuration'), 'P1D')
  await hears(page, '#summary', 'No anomalies in 5 days; what scores above 1')
  t.match(await textOf(page, '#summary'), /does not count by the chosen rules\.$/)
  await set(async () => page.selectOption('#minDuration', ''))
  const merged = await set(async () => page.selectOption('#mergeGap', 'PT6H'))
  t.equal(merged.get('mergeGap'), 'PT6H')
  t.equal((await set(async () => page.locator('#adaptive').uncheck())).get('adaptive'), 'false')
  t.same(faults, [])
})

t.test('the examples are one press away', async (t) => {
  const { page, faults } = await open(t)
  await page.getByRole('button', { name: 'Example with a fault' }).click()
  await results(page)
  t.match(await textOf(page, '#summary'), /^\d+ anomal/)
  t.equal(await page.inputValue('#model'), 'wind-turbine')
  await page.getByRole('button', { name: 'Healthy example' }).click()
  await hears(page, '#facts', 'healthy')
  t.match(await textOf(page, '#summary'), /^No anomalies/)
  await upload(page, 'mine.csv', csvOf({ ...windSeries(200), channels: ['a', 'b'] }))
  await hears(page, '#facts', 'mine.csv')
  t.equal(await page.inputValue('#model'), '', "a file of one's own is not scored by the model of the examples")
  t.match(await textOf(page, '#facts'), /ad-hoc/)
  t.same(faults, [])
})

t.test('opened before the model is made it says so, and goes on by itself once it is', async (t) => {
  const models = new ServedModels()
  const { scorer, models: later } = onThisThread([smallModel])
  const app = await buildApp({ config: testConfig(), models, scorer, logger: false })
  t.teardown(async () => app.close())
  const { page, faults } = await openTab(t)
  await page.clock.install()
  await page.goto(await app.listen({ port: 0, host: '127.0.0.1' }))
  await hears(page, '#model-facts', 'The model is being prepared…')
  await hears(page, '#live', 'The model is being prepared…')
  t.equal(await page.locator('#model option').count(), 0)
  t.equal(await page.locator('#problem').isVisible(), false, 'which is no failure')
  await upload(page, 'early.csv', csvOf(windSeries(60)))
  models.open(later.list(), later.backend!)
  // The Retry-After of not-ready, without waiting for it.
  await page.clock.runFor(5000)
  await page.waitForSelector('#model option', { state: 'attached' })
  t.same(await page.locator('#model option').allTextContents(), [
    'Match by the channels',
    'small 1 (linear)',
    'ad-hoc (fitted on the file)',
  ])
  await page.waitForSelector('#results:not([hidden])')
  t.match(await textOf(page, '#facts'), /early\.csv/, 'a file that came too early is scored then')
  t.equal(
    await page.getByRole('button', { name: 'Example with a fault' }).isVisible(),
    false,
    'no examples for a model that is not served'
  )
  t.same(faults, [])
})

t.test('it works from the keyboard: links, file, example, anomaly, zoom', async (t) => {
  const { page, faults } = await open(t)
  const focused = async (): Promise<string> =>
    page.evaluate<string>('document.activeElement.id || document.activeElement.textContent.trim()')
  const seen: string[] = []
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab')
    seen.push(await focused())
  }
  t.same(seen.slice(0, 5), ['Skip to the content', 'API docs', 'theme', 'file', 'Example with a fault'])
  t.ok(seen.includes('model'))
  const answer = await scored(faulty)
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  t.equal(await focused(), 'results-title', 'the focus is at the result')
  const [first] = answer.anomalies ?? []
  const whole = await view(page)
  for (let i = 0; i < 4; i++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  t.equal(await page.locator('#anomalies button').first().getAttribute('aria-pressed'), 'true')
  const near = await view(page)
  t.ok(near.from < Date.parse(first?.start ?? '') && near.to > Date.parse(first?.end ?? ''), 'the anomaly is in view')
  t.ok(near.to - near.from < whole.to - whole.from, 'and nearer')
  t.match(await textOf(page, '#live'), /^The chart shows the anomaly of .*gearbox_bearing_temp_c/)
  await page.focus('#chart')
  await page.keyboard.press('+')
  const nearer = await view(page)
  t.ok(nearer.to - nearer.from < near.to - near.from, 'plus zooms in')
  await page.keyboard.press('ArrowRight')
  t.ok((await view(page)).from > nearer.from, 'an arrow moves')
  await page.keyboard.press('Home')
  t.same(await view(page), whole)
  t.equal(await textOf(page, '#live'), 'The chart shows the whole series.')
  t.same(faults, [])
})

t.test('a cursor on the chart tells each observation, by keys alone', async (t) => {
  const { page, faults } = await open(t)
  const answer = await scored(faulty)
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  await page.focus('#chart')
  const announcement = (i: number): RegExp => {
    const [time = '', score] = [
      new Date(Date.parse(answer.start) + i * 600_000).toISOString().slice(11, 16),
      answer.score?.[i] ?? NaN,
    ]
    const shown = Number(score.toPrecision(3))
    return new RegExp(
      `^\\d+ \\w+ \\d+, ${time} UTC, score ${shown}( – anomalous)?; ` +
        '\\w+ \\d+ %, observed [\\d.-]+, expected [\\d.-]+;'
    )
  }
  await page.keyboard.press('Shift+ArrowRight')
  t.match(await textOf(page, '#live'), announcement(0), 'Shift and an arrow go to the first observation in view')
  await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.press('Shift+ArrowLeft')
  t.match(await textOf(page, '#live'), announcement(1), 'and step from one to the next')
  const at = (await textOf(page, '#live')).split(' UTC')[0] ?? ''
  await hears(page, '#chart strong', at)
  for (let i = 0; i < 5; i++) await page.keyboard.press('+')
  await page.keyboard.press('Shift+ArrowLeft')
  const zoomed = await view(page)
  const last = Math.floor((zoomed.to - Date.parse(answer.start)) / 600_000)
  t.match(await textOf(page, '#live'), announcement(last), 'from out of view it comes in at the edge')
  await page.keyboard.press('Shift+ArrowRight')
  t.match(await textOf(page, '#live'), announcement(last + 1))
  t.ok((await view(page)).to > zoomed.to, 'and takes the view along')
  t.same(faults, [])
})

t.test('a series can be dropped, and scored again as if live', async (t) => {
  const { page, faults } = await open(t)
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([${JSON.stringify(faulty)}], 'dropped.csv', { type: 'text/csv' }))
    return transfer
  })()`)
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer })
  await results(page)
  t.match(await textOf(page, '#facts'), /dropped\.csv.*scored with hindsight/)
  await page.getByLabel('As if live').check()
  await hears(page, '#facts', 'as it would have been live')
  t.same(faults, [])
})

t.test('what the service refuses is told in words, and names are only text', async (t) => {
  const { page, faults } = await open(t)
  await page.selectOption('#model', 'small')
  await upload(
    page,
    'bad.csv',
    'timestamp,wind_speed_ms,power_kw,<b id="x">no</b>\n2026-01-01T00:00:00Z,1,2,3\n2026-01-01T00:10:00Z,1,2,3\n'
  )
  await page.waitForSelector('#problem:not([hidden])')
  t.match(await textOf(page, '#problem'), /A channel is not one of the model's.*unknown-channel · HTTP 422/s)
  t.match(await page.locator('#problem li').allTextContents(), [/^\/.*b id=/])
  t.equal(await page.locator('#problem b').count(), 0)
  t.equal(await page.locator('#results').isVisible(), false)
  await page.route('**/compute*', async (route) => route.abort())
  await upload(page, 'good.csv', csvOf(windSeries(60)))
  await hears(page, '#problem', 'cannot be reached')
  await page.unroute('**/compute*')
  await upload(page, 'good.csv', csvOf(windSeries(60)))
  await results(page)
  t.equal(await page.locator('#problem').isVisible(), false, 'and is gone with the next answer')
  t.same(faults.filter((fault) => !fault.includes('net::ERR_FAILED')), [])
})

t.test('ill-natured names in an answer stay text, in lists and in the tooltip', async (t) => {
  const { page, faults } = await open(t)
  const hostile = [
    '<img src=x onerror=alert(1)>',
    '"><script>alert(2)</script>',
    '__proto__',
    'constructor',
    `<b>${'x'.repeat(500)}`,
  ]
  const names = Object.keys(syntheticAnswer(20).observed ?? {})
  const answer = renamed(syntheticAnswer(), (name) => hostile[names.indexOf(name)] ?? `<i>${name}</i>`)
  await page.route('**/compute*', async (route) => route.fulfill({ json: answer }))
  await upload(page, '<u>file</u>.csv', 'timestamp,a\n')
  await results(page)
  await page.locator('#chart').scrollIntoViewIfNeeded()
  const box = await page.locator('#chart').boundingBox()
  for (const x of [600, 620, 640]) await page.mouse.move((box?.x ?? 0) + x, (box?.y ?? 0) + 120)
  await hears(page, '#chart td', '<img src=x')
  t.equal(await page.locator('main :is(img[src=x], script, b, i, u)').count(), 0)
  t.ok((await textOf(page, '#facts')).includes('<u>file</u>.csv'))
  t.equal(await page.evaluate<number>('Object.keys(Object.prototype).length'), 0)
  t.same(faults, [])
})

t.test('of many channels a dozen is drawn, and one may choose others', async (t) => {
  const { page, faults } = await open(t)
  const small = syntheticAnswer()
  const level = Object.values(small.observed ?? {})[0] ?? []
  const observed = Object.fromEntries(Array.from({ length: 300 }, (_, c) => [`channel_${c}`, level]))
  const { model, scoring, threshold, start, step, score } = small
  await page.route(
    '**/compute*',
    async (route) => route.fulfill({ json: { model, scoring, threshold, start, step, score, observed } })
  )
  await upload(page, 'wide.csv', 'timestamp,a\n')
  await results(page)
  t.equal(await textOf(page, '#channels-title'), 'Channels shown: 12 of 300')
  const heightOf = async (): Promise<number> => (await page.locator('#chart').boundingBox())?.height ?? 0
  const before = await heightOf()
  await page.locator('#channels-title').click()
  await page.getByLabel('Find a channel').fill('channel_29')
  t.equal(await page.locator('#channels li:visible').count(), 11)
  await page.getByLabel('channel_299', { exact: true }).check()
  t.equal(await textOf(page, '#channels-title'), 'Channels shown: 13 of 300')
  t.ok(await heightOf() > before)
  t.same(faults, [])
})

t.test('the answer can be saved as JSON, CSV and PNG', async (t) => {
  const { page, faults } = await open(t)
  const answer = await scored(faulty)
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  const save = async (kind: string): Promise<{ name: string, content: Buffer }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`#save-${kind}`).click()])
    return { name: download.suggestedFilename(), content: readFileSync(await download.path()) }
  }
  const json = await save('json')
  t.equal(json.name, 'turbine-verdicts.json')
  t.same(JSON.parse(json.content.toString()), answer)
  t.match((await save('csv')).content.toString(), /^timestamp,/)
  const png = await save('png')
  t.equal(png.name, 'turbine-verdicts.png')
  t.equal(png.content.toString('latin1', 1, 4), 'PNG')
  t.same(faults, [])
})

t.test('dark and light follow the system, and the button is remembered', async (t) => {
  const { page, faults } = await open(t)
  await page.emulateMedia({ colorScheme: 'dark' })
  const background = async (): Promise<string> =>
    page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
  // The page hears of the system's change a moment later.
  await page.locator('#theme[aria-pressed="true"]').waitFor()
  const dark = await background()
  await page.locator('#theme').press('Enter')
  const light = await background()
  t.not(light, dark)
  await page.reload()
  await page.waitForSelector('#model option', { state: 'attached' })
  t.equal(await background(), light, 'after a reload')
  t.equal(await page.getAttribute('#theme', 'aria-pressed'), 'false')
  t.same(faults, [])
})

t.test('320 pixels are enough', async (t) => {
  const { page, faults } = await open(t)
  await page.setViewportSize({ width: 320, height: 640 })
  await upload(page, 'turbine.csv', faulty)
  await results(page)
  t.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 320)
  t.same(faults, [])
})
