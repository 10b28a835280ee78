import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { readKohaDocument } from '@passport/koha-description';
import type { Recorded } from './start-recording-proxy.ts';

/** Where Koha's own description is: CONTRIBUTING.md. */
const PLACE = process.env['KOHA_OPENAPI'] ?? '';

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: 'query' | 'header' | 'path' | 'body' | 'formData';
  readonly required?: boolean;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: { readonly enum?: readonly string[] };
  readonly collectionFormat?: string;
  readonly schema?: { readonly $ref?: string };
}
interface Operation {
  readonly parameters?: readonly Parameter[];
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

export const hasKohaSubset = PLACE !== '';

/**
 * Loads the check of requests against Koha's own description. The returned function lists what does not fit; a header that later
 * releases have and this file does not (its preamble names them) is known by `laterHeaders`, or a value of one: `name: value`.
 */
export async function loadKohaSubset(
  laterHeaders: readonly string[],
): Promise<(request: Recorded) => string[]> {
  const description = (await readKohaDocument(PLACE)) as Description;
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (target: Ajv) => void)(ajv);
  ajv.addSchema({ $id: 'koha', ...description });

  return (request) => {
    const found = findOperation(description, request);
    if (found === null) return [`${request.method} ${request.path} is not described`];
    const parameters = (found.parameters ?? []).map(
      (parameter) => description.parameters[parameter.$ref?.split('/').at(-1) ?? ''] ?? parameter,
    );
    return [
      ...queryProblems(request, parameters),
      ...headerProblems(request, parameters, laterHeaders),
      ...bodyProblems(request, parameters, ajv),
    ];
  };
}

function findOperation({ paths }: Description, { method, path }: Recorded): Operation | null {
  const exact = paths[path]?.[method.toLowerCase()];
  if (exact !== undefined) return exact;
  for (const [template, operations] of Object.entries(paths)) {
    const pattern = new RegExp(`^${template.replaceAll(/\{[a-z_]+\}/g, String.raw`\d+`)}$`);
    const operation = operations[method.toLowerCase()];
    if (pattern.test(path) && operation !== undefined) return operation;
  }
  return null;
}

function queryProblems({ query }: Recorded, parameters: readonly Parameter[]): string[] {
  return [...query].flatMap(([name, value]) => {
    const known = parameters.find((parameter) => parameter.in === 'query' && parameter.name === name);
    if (known === undefined) return [`query ${name} is not described`];
    if (known.type === 'integer' && !/^-?\d+$/.test(value)) return [`query ${name} is no integer`];
    return known.enum !== undefined && !known.enum.includes(value)
      ? [`query ${name} is not in its enum`]
      : [];
  });
}

function headerProblems(
  { headers }: Recorded,
  parameters: readonly Parameter[],
  later: readonly string[],
): string[] {
  const global = ['x-koha-library', ...later];
  return Object.entries(headers)
    .filter(([name]) => name.startsWith('x-') && !global.includes(name))
    .flatMap(([name, value]) => {
      const known = parameters.find((parameter) => parameter.in === 'header' && parameter.name === name);
      if (known === undefined) return [`header ${name} is not described`];
      return value
        .split(',')
        .filter((part) => known.items?.enum?.includes(part) === false && !later.includes(`${name}: ${part}`))
        .map((part) => `header ${name} cannot be "${part}"`);
    });
}

function bodyProblems({ body, headers }: Recorded, parameters: readonly Parameter[], ajv: Ajv): string[] {
  const form = parameters.filter((parameter) => parameter.in === 'formData');
  if (form.length > 0) {
    const fields = new URLSearchParams(body);
    const missing = form.filter(({ name, required }) => required === true && !fields.has(name));
    const unknown = [...fields.keys()].filter((name) => !form.some((field) => field.name === name));
    return [...missing.map(({ name }) => `form lacks ${name}`), ...unknown.map((name) => `form has ${name}`)];
  }
  const described = parameters.find((parameter) => parameter.in === 'body');
  if (body === '') return described?.required === true ? ['the body is missing'] : [];
  if (described?.schema === undefined) return ['a body is not described'];
  if (headers['content-type'] !== 'application/json') return ['the body is not sent as JSON'];
  const schema = JSON.parse(
    JSON.stringify(described.schema).replaceAll('"$ref":"#/', '"$ref":"koha#/'),
  ) as object;
  const validate = ajv.compile(schema);
  return validate(JSON.parse(body)) ? [] : [ajv.errorsText(validate.errors)];
}
