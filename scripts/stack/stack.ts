// The stream with real servers: Kafka, InfluxDB, and every step as a process. For `npm run stack`, tests and
// measurements.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type InfluxServer, startInfluxdb } from '../services/influxdb.ts'
import { startKafka } from '../services/kafka.ts'
import type { RunningServer } from '../services/server.ts'
import { startStep, type StepName, type StepOptions, type StepProcess } from './processes.ts'

export interface StackOptions {
  /** Data and logs. */
  readonly folder: string
  /** A registry with one live model. */
  readonly registry: string
  readonly steps: readonly StepName[]
  readonly built?: boolean
  readonly partitions?: number
  /** Settings of all steps, besides where the servers are. */
  readonly env?: Readonly<Record<string, string>>
  readonly ports?: Partial<Record<StepName, number>>
}

export class Stack {
  readonly kafka: RunningServer
  readonly influx: InfluxServer
  readonly steps: ReadonlyMap<StepName, StepProcess>
  readonly #options: StackOptions
  readonly #more: StepProcess[] = []

  private constructor (
    options: StackOptions,
    kafka: RunningServer,
    influx: InfluxServer,
    steps: ReadonlyMap<StepName, StepProcess>
  ) {
    this.#options = options
    this.kafka = kafka
    this.influx = influx
    this.steps = steps
  }

  /** @throws Error where a server is not installed, or something does not become ready */
  static async start (options: StackOptions): Promise<Stack> {
    mkdirSync(options.folder, { recursive: true })
    const [kafka, influx] = await Promise.all([
      startKafka({ folder: join(options.folder, 'kafka') }),
      startInfluxdb({ folder: join(options.folder, 'influxdb') }),
    ])
    const steps = new Map<StepName, StepProcess>()
    const stack = new Stack(options, kafka, influx, steps)
    try {
      // One after another: the first creates the topics.
      for (const name of options.steps) steps.set(name, await stack.startStep({ name }))
    } catch (error) {
      await stack.stop()
      throw error
    }
    return stack
  }

  /** Where everything is, for steps and for whoever looks into the servers. */
  get env (): Readonly<Record<string, string>> {
    const { url, token, org, bucket } = this.influx
    return {
      KAFKA_BROKERS: this.kafka.url,
      STREAM_PARTITIONS: String(this.#options.partitions ?? 6),
      INFLUX_URL: url,
      INFLUX_TOKEN: token,
      INFLUX_ORG: org,
      INFLUX_RAW_BUCKET: bucket,
      MODEL_REGISTRY: this.#options.registry,
      ...this.#options.env,
    }
  }

  step (name: StepName): StepProcess {
    const found = this.steps.get(name)
    if (found === undefined) throw new Error(`The step ${name} was not started`)
    return found
  }

  async startStep (
    { name, number = 1, env = {} }: Pick<StepOptions, 'name'> & {
      readonly number?: number,
      readonly env?: Readonly<Record<string, string>>,
    }
  ): Promise<StepProcess> {
    const port = this.#options.ports?.[name]
    return startStep({
      name,
      number,
      env: { ...this.env, ...env },
      folder: this.#options.folder,
      built: this.#options.built ?? false,
      ...(port !== undefined && { port }),
    })
  }

  /** Another process of a step that runs already; stopped with the stack. */
  async another (name: StepName, env: Readonly<Record<string, string>> = {}): Promise<StepProcess> {
    const process = await this.startStep({ name, number: 2 + this.#more.length, env })
    this.#more.push(process)
    return process
  }

  async stop (): Promise<void> {
    await Promise.all([...this.steps.values(), ...this.#more].map(async (step) => step.stop()))
    await Promise.all([this.kafka.stop(), this.influx.stop()])
  }
}
