// @ts-check
// Talks to the service: its models, a computation, and its problem documents as errors. Knows nothing of the page.

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Model} Model
 * @typedef {import('./types.d.ts').Order} Order
 * @typedef {import('./types.d.ts').ProblemDocument} ProblemDocument
 */

const INCLUDE = 'score,isAnomaly,observed,expected,bounds,contributions,anomalies,quality'

/** What the service refused, with its problem document. */
export class ServiceError extends Error {
  /**
   * @param {ProblemDocument} problem
   * @param {number} [retryAfterSeconds] when the service says that it will do better later
   */
  constructor (problem, retryAfterSeconds) {
    super(problem.detail ?? problem.title ?? 'The service answered with an error')
    this.name = 'ServiceError'
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/**
 * @param {Response} response
 * @returns {Promise<ProblemDocument>}
 */
async function readProblem (response) {
  const fallback = { title: response.statusText || 'The service answered with an error', status: response.status }
  if (!(response.headers.get('content-type') ?? '').includes('json')) return fallback
  return response.json().catch(() => fallback)
}

/**
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function request (path, init) {
  const response = await fetch(new URL(path, document.baseURI), init).catch((cause) => {
    if (init?.signal?.aborted === true) throw cause
    throw new ServiceError({
      title: 'The service cannot be reached',
      detail: 'No answer came back. Check that the service runs and that the network is up, then try again.',
    })
  })
  if (response.ok) return response
  const seconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10)
  throw new ServiceError(await readProblem(response), Number.isNaN(seconds) ? undefined : seconds)
}

/**
 * The served models; asks again for as long as the service says that it will have them later.
 * @param {() => void} onWait called before each wait
 * @returns {Promise<Model[]>}
 */
export async function fetchModels (onWait) {
  for (;;) {
    try {
      const { models } = await (await request('models')).json()
      return models
    } catch (error) {
      if (!(error instanceof ServiceError) || error.retryAfterSeconds === undefined) throw error
      const delayMs = 1000 * error.retryAfterSeconds
      onWait()
      await new Promise((resolve) => { window.setTimeout(resolve, delayMs) })
    }
  }
}

/**
 * A series that the service ships, ready to be posted.
 * @param {string} name
 */
export async function fetchExample (name) {
  return (await request(`examples/${name}`)).blob()
}

/**
 * Path and query of an order.
 * @param {Order} order
 */
export function computePath (order) {
  const query = new URLSearchParams({
    ...(order.model === '' ? {} : { model: order.model }),
    scoring: order.scoring,
    ...order.options,
    include: INCLUDE,
    topChannels: '3',
  })
  return `compute?${query.toString().replaceAll('%2C', ',')}`
}

/**
 * Posts the order's CSV; resolves to the answer in the asked media type, as it came.
 * @param {Order} order
 * @param {string} accept
 * @param {AbortSignal} [signal]
 */
export async function compute (order, accept, signal) {
  const headers = { 'content-type': 'text/csv', accept }
  const response = await request(computePath(order), {
    method: 'POST',
    headers,
    body: order.body,
    ...(signal === undefined ? {} : { signal }),
  })
  return response.blob()
}
