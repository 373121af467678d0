// The notifier sends incidents to a webhook and to Alertmanager. It has no state: a repeated message is sent again,
// under the same id.
import PQueue from 'p-queue'
import type { Message } from '../../messages/messages.ts'
import type { NotifierSettings } from '../../settings/notifier.ts'
import type { Outlet, Received, Step, StepKind } from '../../runtime/step.ts'
import { alertmanagerRequest } from './alertmanager.ts'
import { Destination, type Request } from './destination.ts'
import { webhookRequest } from './webhook.ts'

/** Series whose notifications are sent at the same time. */
const AT_ONCE = 8

interface Receiver {
  readonly destination: Destination
  /** Undefined: it does not get this message. */
  readonly request: (message: Message) => (() => Request) | undefined
}

export function notifierKind (settings: NotifierSettings, now: () => number): StepKind {
  return {
    name: 'notifier',
    accepts: ['incident.opened.v1', 'incident.updated.v1', 'incident.closed.v1', 'incident.annotated.v1'],
    open: (_, closing) => new Notifier(receiversOf(settings, now, closing)),
  }
}

function receiversOf (
  { WEBHOOK_URL, WEBHOOK_SECRET, ALERTMANAGER_URL, DASHBOARD_URL, NOTIFIER_RETRY_MS: retryMs }: NotifierSettings,
  now: () => number,
  closing: AbortSignal
): Receiver[] {
  const receivers: Receiver[] = []
  if (WEBHOOK_URL !== undefined && WEBHOOK_SECRET !== undefined) {
    receivers.push({
      destination: new Destination({ name: 'The webhook', retryMs, now, closing }),
      request: (message) => () => webhookRequest(WEBHOOK_URL, WEBHOOK_SECRET, message, now()),
    })
  }
  if (ALERTMANAGER_URL !== undefined) {
    receivers.push({
      destination: new Destination({ name: 'Alertmanager', retryMs, now, closing }),
      request: ({ data }) =>
        'closed' in data ? () => alertmanagerRequest(ALERTMANAGER_URL, data, DASHBOARD_URL, now()) : undefined,
    })
  }
  return receivers
}

class Notifier implements Step {
  readonly #receivers: readonly Receiver[]

  constructor (receivers: readonly Receiver[]) {
    this.#receivers = receivers
  }

  async process (messages: readonly Received[], out: Outlet): Promise<void> {
    const bySeries = new Map<string, Received[]>()
    for (const message of messages) {
      const { series } = message.data
      bySeries.set(series, [...bySeries.get(series) ?? [], message])
    }
    const queue = new PQueue({ concurrency: AT_ONCE })
    await Promise.all([...bySeries.values()].map(async (inOrder) => queue.add(async () => {
      for (const message of inOrder) await this.#notify(message, out)
    })))
  }

  async #notify (message: Received, out: Outlet): Promise<void> {
    const failures = await Promise.all(this.#receivers.map(async ({ destination, request }) => {
      const make = request(message)
      return make === undefined ? undefined : destination.deliver(make)
    }))
    const reasons = failures.filter((reason) => reason !== undefined)
    if (reasons.length > 0) out.reject(message, 'not-delivered', `${reasons.join('. ')}.`)
  }
}
