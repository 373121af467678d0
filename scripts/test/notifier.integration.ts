// The notifier and a real Alertmanager: an incident fires until it is closed, and grows worse without becoming two; an
// outage loses nothing.
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { parseSettings } from '../../adapters/settings/values.ts'
import type { Incident, Message } from '../../pipelines/messages/messages.ts'
import { notifierKind } from '../../pipelines/steps/notifier/step.ts'
import { NOTIFIER_SETTINGS } from '../../pipelines/settings/notifier.ts'
import { startAlertmanager } from '../services/alertmanager.ts'

interface Shown {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly generatorURL: string
}

const minutesAgo = (minutes: number): string => new Date(Date.now() - 60_000 * minutes).toISOString()

const incident: Incident = {
  id: 'T03/1',
  series: 'T03 "Süd"',
  model: { name: 'wind-turbine', version: '3', digest: 'd' },
  start: minutesAgo(30),
  end: minutesAgo(30),
  closed: false,
  peak: { time: minutesAgo(30), score: 1.4 },
  severity: 'warning',
  channels: [{ channel: 'vibration_mm_s', contribution: 1 }],
  observations: 1,
}

t.test('a real Alertmanager shows an incident while it is open', async (t) => {
  const server = await startAlertmanager()
  t.teardown(async () => server.stop())
  const settings = parseSettings(z.object(NOTIFIER_SETTINGS), {
    ALERTMANAGER_URL: server.url,
    DASHBOARD_URL: 'http://dash.example',
  })
  const step = await notifierKind(settings, Date.now).open(undefined, new AbortController().signal)
  let offset = 0
  const tell = async (
    type: 'incident.opened.v1' | 'incident.updated.v1' | 'incident.closed.v1',
    changes: Partial<Incident>
  ): Promise<void> => {
    const message = { type, id: `${offset}`, receivedAt: 0, data: { ...incident, ...changes } } satisfies Message
    await step.process([{ ...message, offset: offset++ }], {
      send: () => {},
      drop: () => {},
      reject: (_, code, detail) => {
        t.fail(`${code}: ${detail}`)
      },
    })
  }
  const shown = async (): Promise<Shown[]> =>
    await (await fetch(`${server.url}/api/v2/alerts?active=true`)).json() as Shown[]
  /** Alerts are taken in at once, and shown a moment later. */
  const until = async (severities: readonly string[]): Promise<Shown[]> => {
    for (let i = 0; i < 100; i++, await setTimeout(100)) {
      const alerts = await shown()
      if (alerts.map(({ labels }) => labels['severity']).join() === severities.join()) return alerts
    }
    throw new Error(`Alertmanager shows ${JSON.stringify(await shown())}`)
  }

  await tell('incident.opened.v1', {})
  const [first] = await until(['warning'])
  t.match(first, {
    labels: { alertname: 'SeriesAnomaly', series: 'T03 "Süd"', severity: 'warning', model: 'wind-turbine' },
    annotations: { incident: 'T03/1' },
    generatorURL: 'http://dash.example/?series=T03+%22S%C3%BCd%22&incident=T03%2F1',
  })
  t.equal(Date.parse(first!.startsAt), Date.parse(incident.start))
  await tell('incident.updated.v1', { severity: 'critical', end: minutesAgo(10), observations: 3 })
  t.match(await until(['critical']), [{ annotations: { description: /^3 anomalous observations/ } }])

  await server.kill()
  const closing = tell('incident.closed.v1', {
    severity: 'critical',
    end: minutesAgo(5),
    closed: true,
    observations: 4,
  })
  await setTimeout(500)
  await server.restart()
  await closing
  await until([])

  await tell('incident.opened.v1', { id: 'T03/2', start: minutesAgo(1), end: minutesAgo(1) })
  t.match(await until(['warning']), [{ annotations: { incident: 'T03/2' } }])
})
