// @ts-check
// The page: takes a series, has it scored and shows the answer. Connects the other modules.
import { compute, fetchExample, fetchModels } from './api.js'
import { Chart } from './chart.js'
import { timelineOf } from './chart-data.js'
import { byId, make } from './dom.js'
import { offerDownloads } from './downloads.js'
import { formatDuration, durationMs, plural } from './format.js'
import { rangeOf } from './instants.js'
import { hideProblem, showProblem } from './problem-box.js'
import { clearChoice, showAnomalies, showChannels, showQuality, showSummary } from './results.js'
import { describeAnomaly, describeInstant, summarize } from './summary.js'
import { currentTheme, startTheme } from './theme.js'
import { verdictOptions, wireVerdictOptions } from './verdict-options.js'

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Anomaly} Anomaly
 * @typedef {import('./types.d.ts').Model} Model
 * @typedef {import('./types.d.ts').Order} Order
 */

/** The model that the examples are for. */
const EXAMPLE_MODEL = 'wind-turbine'

/** The model that the service fits on a series itself. */
const AD_HOC = 'ad-hoc'

/** What is on the page. */
const state = {
  /** @type {readonly Model[]} */
  models: [],
  /** Whether the service has been asked for its models, and has answered. */
  opened: false,
  /** @type {Answer | undefined} */
  answer: undefined,
  /** @type {readonly string[] | undefined} */
  channels: undefined,
  /** @type {{ name: string, body: Blob } | undefined} */
  series: undefined,
  /** @type {AbortController | undefined} */
  running: undefined,
  /** Whether an example, not a person, chose the model. */
  byExample: false,
}

const live = byId('live', window.HTMLElement)
const picker = byId('model', window.HTMLSelectElement)
const chart = new Chart(byId('chart', window.HTMLElement), {
  onMove: ({ from, to }, whole) => {
    live.textContent = whole
      ? 'The chart shows the whole series.'
      : `The chart shows ${rangeOf(/** @type {Answer} */ (state.answer), from, to)}.`
    if (whole) clearChoice()
  },
  onPoint: (t) => {
    live.textContent = describeInstant(/** @type {Answer} */ (state.answer), t)
  },
})

/** @param {boolean} keepView */
function draw (keepView) {
  const { answer, channels } = state
  if (answer !== undefined) {
    chart.show({ answer, theme: currentTheme(), ...(channels === undefined ? {} : { channels }) }, keepView)
  }
}

/** @param {Anomaly} anomaly */
function visit (anomaly) {
  const answer = /** @type {Answer} */ (state.answer)
  const { interval } = timelineOf(answer)
  const [from, to] = [Date.parse(anomaly.start), Date.parse(anomaly.end)]
  const margin = Math.max((to - from) * 0.5, 12 * interval)
  chart.zoomTo({ from: from - margin, to: to + margin })
  live.textContent = `The chart shows the anomaly of ${describeAnomaly(answer, anomaly)}.`
}

/**
 * @param {Answer} answer
 * @param {string} name
 */
function present (answer, name) {
  state.answer = answer
  state.channels = undefined
  byId('results', window.HTMLElement).hidden = false
  showSummary(answer, name)
  showAnomalies(answer, visit)
  showQuality(answer)
  showChannels(answer, (channels) => {
    state.channels = channels
    draw(true)
  })
  byId('chart', window.HTMLElement).setAttribute(
    'aria-label',
    `Chart of score, contributions and channels. ${summarize(answer)}.`
  )
  draw(false)
  live.textContent = `${summarize(answer)}.`
  byId('results-title', window.HTMLElement).focus({ preventScroll: true })
  byId('results', window.HTMLElement).scrollIntoView({ block: 'start' })
}

/** @param {boolean} busy */
function setBusy (busy) {
  document.body.setAttribute('aria-busy', String(busy))
  byId('progress', window.HTMLElement).hidden = !busy
}

/** Scores the current series with the options of the form. */
async function run () {
  // A series that comes too early is scored once the models are there.
  if (state.series === undefined || !state.opened) return
  state.running?.abort()
  const running = new AbortController()
  state.running = running
  const scoring = document.querySelector('input[name=scoring]:checked')?.getAttribute('value') === 'causal'
    ? 'causal'
    : 'batch'
  /** @type {Order} */
  const order = { ...state.series, model: picker.value, scoring, options: verdictOptions() }
  setBusy(true)
  hideProblem()
  live.textContent = `Scoring ${order.name}.`
  try {
    const json = await compute(order, 'application/json', running.signal)
    present(JSON.parse(await json.text()), order.name)
    offerDownloads(order, json, showProblem)
  } catch (error) {
    if (running.signal.aborted) return
    live.textContent = ''
    byId('results', window.HTMLElement).hidden = true
    showProblem(error)
    byId('problem', window.HTMLElement).scrollIntoView({ block: 'nearest' })
  } finally {
    if (state.running === running) setBusy(false)
  }
}

/** @param {File | undefined} file */
function take (file) {
  if (file === undefined) return
  // The model of the examples is hardly the one for a file of one's own.
  if (state.byExample) {
    state.byExample = false
    picker.value = ''
    describeModel()
  }
  state.series = { name: file.name, body: file }
  run()
}

/** @param {string} name */
async function takeExample (name) {
  setBusy(true)
  hideProblem()
  try {
    const body = await fetchExample(name)
    picker.value = EXAMPLE_MODEL
    state.byExample = true
    describeModel()
    state.series = { name, body }
    await run()
  } catch (error) {
    showProblem(error)
    setBusy(false)
  }
}

function describeModel () {
  const model = state.models.find(({ name }) => name === picker.value)
  const facts = byId('model-facts', window.HTMLElement)
  if (model === undefined) {
    facts.replaceChildren(
      picker.value === AD_HOC
        ? 'A model is fitted on the file itself: what it shows most of the time counts as normal.'
        : 'The service takes the model whose channels the file has. If there is none, it fits one on the file ' +
          'itself (ad-hoc).'
    )
    return
  }
  const summary = make(
    'summary',
    {},
    `Expects ${plural(model.channels.length, 'channel')}, ` +
      `one observation every ${formatDuration(durationMs(model.samplingInterval))}`
  )
  facts.replaceChildren(
    make(
      'details',
      {},
      summary,
      make('p', {}, model.sensitivity.summary),
      make('ul', { class: 'names' }, ...model.channels.map((name) => make('li', {}, make('code', {}, name))))
    )
  )
}

function tellPreparation () {
  byId('model-facts', window.HTMLElement).textContent =
    'The model is being prepared… A file that you choose now is scored as soon as it is ready.'
  live.textContent = 'The model is being prepared…'
}

async function loadModels () {
  try {
    state.models = await fetchModels(tellPreparation)
    const options = state.models.map(({ name, version, architecture }) =>
      make('option', { value: name }, `${name} ${version} (${architecture})`)
    )
    const any = make('option', { value: '' }, 'Match by the channels')
    const adHoc = make('option', { value: AD_HOC }, `${AD_HOC} (fitted on the file)`)
    picker.replaceChildren(any, ...options, adHoc)
    describeModel()
    byId('examples', window.HTMLElement).hidden = !state.models.some(({ name }) => name === EXAMPLE_MODEL)
    live.textContent = ''
  } catch (error) {
    byId('model-facts', window.HTMLElement).replaceChildren()
    showProblem(error)
  }
  state.opened = true
  await run()
}

function wireDropZone () {
  const input = byId('file', window.HTMLInputElement)
  const zone = byId('drop', window.HTMLElement)
  input.addEventListener('change', () => {
    take(input.files?.[0])
    // So that the same file, corrected, can be chosen again.
    input.value = ''
  })
  /** @type {(event: DragEvent) => void} */
  const over = (event) => {
    event.preventDefault()
    zone.classList.toggle('over', event.type === 'dragover')
  }
  document.addEventListener('dragover', over)
  document.addEventListener('dragleave', over)
  document.addEventListener('drop', (event) => {
    over(event)
    take(event.dataTransfer?.files[0])
  })
}

function wireControls () {
  for (const button of document.querySelectorAll('button[data-example]')) {
    button.addEventListener('click', () => takeExample(button.getAttribute('data-example') ?? ''))
  }
  for (const radio of document.querySelectorAll('input[name=scoring]')) radio.addEventListener('change', () => run())
  wireVerdictOptions(() => run())
  picker.addEventListener('change', () => {
    state.byExample = false
    describeModel()
    run()
  })
  /** @type {Record<string, () => void>} */
  const moves = {
    earlier: () => chart.panBy(-0.5),
    later: () => chart.panBy(0.5),
    nearer: () => chart.zoomBy(0.5),
    farther: () => chart.zoomBy(2),
    all: () => chart.showAll(),
  }
  for (const [name, move] of Object.entries(moves)) {
    byId(`zoom-${name}`, window.HTMLButtonElement).addEventListener('click', move)
  }
}

startTheme(() => draw(true))
wireDropZone()
wireControls()
await loadModels()
