// A message → a signed webhook: CloudEvents 1.0 as structured JSON, signed by the rules of Standard Webhooks.
import { createHash } from 'node:crypto'
import { CloudEvent, HTTP } from 'cloudevents'
import { Webhook } from 'standardwebhooks'
import type { Message } from '../../messages/messages.ts'
import type { Request } from './destination.ts'

/** @param at time of sending, milliseconds since 1970; receivers refuse webhooks that are minutes old */
export function webhookRequest (
  url: string,
  secret: string,
  { type, id, receivedAt, trace, data }: Message,
  at: number
): Request {
  const event = new CloudEvent({
    type,
    id,
    source: type === 'incident.annotated.v1' ? '/dashboard' : '/scorer',
    subject: data.series,
    time: new Date(receivedAt).toISOString(),
    datacontenttype: 'application/json',
    ...(trace !== undefined && { traceparent: trace }),
    data,
  })
  const { headers, body } = HTTP.structured(event)
  const text = String(body)
  // A hash of the content alone shows receivers a repetition, and is fit for a header whatever the name of the series.
  const webhookId = `msg_${createHash('sha256').update(`${type}\n${id}`).digest('base64url')}`
  return {
    url,
    headers: {
      'content-type': String(headers['content-type']),
      ...(trace !== undefined && { traceparent: trace }),
      'webhook-id': webhookId,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new Webhook(secret).sign(webhookId, new Date(at), text),
    },
    body: text,
  }
}
