// Where InfluxDB is and who asks.
import type { Environment } from '../settings/environment.ts'
import { requiredVariables, serverUrl } from '../settings/variables.ts'

export interface InfluxAccess {
  readonly url: string
  readonly token: string
  readonly org: string
}

/** @throws Problem invalid-settings naming the variable that is missing */
export function influxAccess (env: Environment): InfluxAccess {
  const { INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG } = requiredVariables(env, ['INFLUX_URL', 'INFLUX_TOKEN', 'INFLUX_ORG'])
  return { url: serverUrl('INFLUX_URL', INFLUX_URL).href, token: INFLUX_TOKEN, org: INFLUX_ORG }
}
