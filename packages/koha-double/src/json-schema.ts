/** The part of JSON schema that Koha's description uses (Swagger 2.0). */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxProperties?: number;
  readonly format?: 'date' | 'date-time';
  readonly readOnly?: boolean;
  readonly $ref?: string;
}

export type Definitions = Readonly<Record<string, JsonSchema>>;

export const reference = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` });

export function resolve(schema: JsonSchema, definitions: Definitions): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = definitions[schema.$ref.slice('#/definitions/'.length)];
  if (found === undefined) throw new Error(`no definition ${schema.$ref}`);
  return found;
}
