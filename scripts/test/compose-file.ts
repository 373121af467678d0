// compose.yaml as Compose reads it: variables filled in, anchors merged.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const CONDITIONS = ['service_healthy', 'service_completed_successfully'] as const

const ServiceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.literal('.'), target: z.string() }).optional(),
  profiles: z.array(z.string()).default([]),
  restart: z.enum(['no', 'unless-stopped']),
  command: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.enum(CONDITIONS) })).default({}),
  environment: z.record(
    z.string(),
    z.union([z.string(), z.number(), z.null()]).transform((value) => String(value ?? ''))
  ).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
})
export type ComposeService = z.output<typeof ServiceSchema>

const ComposeSchema = z.object({
  services: z.record(z.string(), ServiceSchema),
  volumes: z.record(z.string(), z.null()),
})

export const COMPOSE_TEXT = readFileSync(join(resolve(import.meta.dirname, '../..'), 'compose.yaml'), 'utf8')

/** @throws Error naming a variable that must be set and is not */
export function readCompose (env: Readonly<Record<string, string>>): z.output<typeof ComposeSchema> {
  const text = COMPOSE_TEXT.replace(
    /\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})/g,
    (_, name: string | undefined, kind: string | undefined, more: string) => {
      if (name === undefined) return '$'
      const value = env[name] ?? ''
      if (value !== '' || kind === undefined) return value
      if (kind === '-') return more
      throw new Error(`${name}: ${more}`)
    }
  )
  return ComposeSchema.parse(parse(text, { merge: true }))
}

/** Services after those that they depend on. */
export function inOrder (services: Readonly<Record<string, ComposeService>>): string[] {
  const order: string[] = []
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) throw new Error(`${[...above, name].join(' → ')} wait for each other`)
    if (order.includes(name)) return
    for (const before of Object.keys(services[name]!.depends_on)) visit(before, [...above, name])
    order.push(name)
  }
  for (const name of Object.keys(services)) visit(name, [])
  return order
}
