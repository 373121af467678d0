// One connection to Cassandra, opened at the first use and again after a failure. Its errors become problems of the
// stream.
import { auth, Client, concurrent, errors, type Host, policies, types } from 'cassandra-driver'
import { Problem } from '../../../core/errors.ts'
import { ensureTables, type Statement, STATEMENTS } from './schema.ts'

export interface CassandraAccess {
  /** host or host:port */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly keyspace: string
  readonly credentials?: { readonly username: string, readonly password: string }
}

/** Statements that run at the same time. */
const CONCURRENCY = 64
const RECONNECT_MS = 500
const TIMEOUT_MS = 12_000

/** A statement with its values. */
export type Call = readonly [statement: Statement, ...values: unknown[]]

export class CassandraConnection {
  readonly #access: CassandraAccess
  readonly #texts: Readonly<Record<Statement, string>>
  #client: Promise<Client> | undefined
  /**
   * After an outage of all nodes, the driver replaces its hosts without shutting down the old ones: they reconnect even
   * after shutdown(), and the process never ends. So close() shuts them down, by a method that the driver does not
   * declare.
   */
  readonly #lost = new Set<Host>()

  constructor (access: CassandraAccess) {
    this.#access = access
    const inKeyspace = Object.entries(STATEMENTS)
      .map(([name, text]) => [name, text.replace(' k.', ` ${access.keyspace}.`)])
    this.#texts = Object.fromEntries(inKeyspace) as Record<Statement, string>
  }

  /** Runs all statements, in any order. @throws Problem, see #problemOf(); some may be done nevertheless */
  async do (calls: readonly Call[]): Promise<void> {
    if (calls.length === 0) return
    await this.#with(async (client) => {
      await concurrent.executeConcurrent(client, this.#queries(calls), { concurrencyLevel: CONCURRENCY })
    })
  }

  /** The first page of each result: for statements that find few rows. @throws Problem, see #problemOf() */
  async ask (calls: readonly Call[]): Promise<types.Row[][]> {
    if (calls.length === 0) return []
    return this.#with(async (client) => {
      const { resultItems } = await concurrent.executeConcurrent(client, this.#queries(calls), {
        concurrencyLevel: CONCURRENCY,
        collectResults: true,
      })
      return (resultItems as types.ResultSet[]).map(({ rows }) => rows)
    })
  }

  /** Fetches page by page, as far as the caller reads. @throws Problem, see #problemOf() */
  async * rows (...[statement, ...values]: Call): AsyncGenerator<types.Row> {
    try {
      yield * await (await this.#connected()).execute(this.#texts[statement], values, { prepare: true })
    } catch (error) {
      throw this.#problemOf(error as Error)
    }
  }

  async close (): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.shutdown()
    for (const host of this.#lost) await (host as unknown as { shutdown(wait: boolean): Promise<void> }).shutdown(false)
  }

  #queries (calls: readonly Call[]): Array<{ query: string, params: unknown[] }> {
    return calls.map(([statement, ...params]) => ({ query: this.#texts[statement], params }))
  }

  async #with<T> (work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#connected())
    } catch (error) {
      throw this.#problemOf(error as Error)
    }
  }

  async #connected (): Promise<Client> {
    this.#client ??= this.#connect()
    try {
      return await this.#client
    } catch (error) {
      this.#client = undefined
      throw error
    }
  }

  async #connect (): Promise<Client> {
    const { contactPoints, localDataCenter, keyspace, credentials } = this.#access
    const client = new Client({
      contactPoints: [...contactPoints],
      localDataCenter,
      ...(credentials && { authProvider: new auth.PlainTextAuthProvider(credentials.username, credentials.password) }),
      policies: { reconnection: new policies.reconnection.ConstantReconnectionPolicy(RECONNECT_MS) },
      // Every write may be repeated.
      queryOptions: { consistency: types.consistencies.localQuorum, isIdempotent: true },
      socketOptions: { readTimeout: TIMEOUT_MS },
      // Maps instead of objects: channels may have any name.
      encoding: { map: Map },
    })
    client.on('hostDown', (host: Host) => { this.#lost.add(host) })
    try {
      await client.connect()
      await ensureTables(client, keyspace)
      return client
    } catch (error) {
      await client.shutdown().catch(() => {})
      throw error
    }
  }

  /**
   * server-unavailable: a retry may help. invalid-settings: the message names the setting. invalid-request: no server
   * will ever accept it.
   */
  #problemOf (error: Error): Problem {
    if (error instanceof Problem) return error
    const { contactPoints, keyspace, localDataCenter } = this.#access
    const where = `Cassandra at ${contactPoints.join(', ')}`
    const settings = (message: string): Problem =>
      new Problem('invalid-settings', `${where} ${message}`, { cause: error })
    const reasons = error instanceof errors.NoHostAvailableError
      ? Object.values(error.innerErrors as Record<string, Error>)
      : [error]
    if (reasons.some((reason) => reason instanceof errors.AuthenticationError)) {
      return settings('refuses the password; check CASSANDRA_USERNAME and CASSANDRA_PASSWORD.')
    }
    if (reasons.some((reason) => reason instanceof errors.ArgumentError)) {
      return settings(`has no data centre "${localDataCenter}"; check CASSANDRA_LOCAL_DC.`)
    }
    const code = error instanceof errors.ResponseError ? error.code : undefined
    if (code === types.responseErrorCodes.unauthorized) {
      return settings(`does not allow it in the keyspace "${keyspace}": ${error.message}`)
    }
    if (code !== undefined && LASTING.has(code)) {
      return new Problem('invalid-request', `${where} refuses it: ${error.message}`, { cause: error })
    }
    const detail = reasons.map(({ message }) => message).join('; ')
    return new Problem('server-unavailable', `${where} cannot do it now: ${detail === '' ? error.message : detail}`, {
      cause: error,
    })
  }
}

const LASTING: ReadonlySet<number> = new Set([types.responseErrorCodes.invalid, types.responseErrorCodes.syntaxError])
