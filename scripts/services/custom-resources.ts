// The schema of a custom resource as JSON Schema: a cluster drops what a definition does not know; a check should
// refuse it.

/** As far as definitions of custom resources use it (OpenAPI v3.0, with Kubernetes' additions). */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly [more: string]: unknown
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects hold what they name and no more, unless the definition keeps what it does not know. */
export function closedSchema (schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties, items, ...rest } = schema
  if (rest['x-kubernetes-int-or-string'] === true) return { oneOf: [{ type: 'string' }, { type: 'integer' }] }
  const isOpen = rest['x-kubernetes-preserve-unknown-fields'] === true || properties === undefined
  return {
    ...rest,
    ...(properties !== undefined &&
      { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, closedSchema(one)])) }),
    ...(isSchema(items) && { items: closedSchema(items) }),
    ...(isSchema(additionalProperties)
      ? { additionalProperties: closedSchema(additionalProperties) }
      : additionalProperties !== undefined
        ? { additionalProperties }
        : isOpen
          ? {}
          : { additionalProperties: false }),
  }
}
