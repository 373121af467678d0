// docs/asyncapi.json: it is what the code says, valid AsyncAPI 3, and its examples can be read by a step.
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import t from 'tap'
import { decode } from '../../pipelines/messages/cloud-events.ts'
import { deadTopic, MESSAGES, STATE_TOPICS, TOPICS } from '../../pipelines/messages/messages.ts'
import { MESSAGE_EXAMPLES } from '../asyncapi/examples.ts'
import { ASYNCAPI_FILE, asyncApiText } from '../make-asyncapi.ts'

const text = asyncApiText()

t.test('the file is what the code says', async (t) => {
  t.equal(readFileSync(ASYNCAPI_FILE, 'utf8'), text, 'else: npm run asyncapi')
})

t.test('it is valid, names every topic, and every message with an example that a step can read', async (t) => {
  const { document, diagnostics } = await new Parser().parse(text)
  t.strictSame(
    diagnostics.filter(({ severity }) => severity === 0).map(({ message, path }) => `${path.join('/')}: ${message}`),
    []
  )
  const addresses = document!.channels().all().map((channel) => channel.address())
  t.strictSame(
    new Set(addresses),
    new Set([...Object.values(TOPICS).flatMap((topic) => [topic, deadTopic(topic)]), ...Object.values(STATE_TOPICS)])
  )
  for (const type of Object.keys(MESSAGES) as Array<keyof typeof MESSAGES>) {
    const message = document!.components().messages().get(type)!
    const [example] = message.examples().all()
    const data = example!.payload() as { series: string }
    t.strictSame(
      decode({ key: data.series, value: JSON.stringify(data), headers: example!.headers() as Record<string, string> }),
      [MESSAGE_EXAMPLES[type]]
    )
    const channel = document!.channels().all().find((one) => one.address() === MESSAGES[type].topic)!
    t.ok(channel.messages().get(type))
  }
})
