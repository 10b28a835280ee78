import { describe, expect, test } from '@jest/globals';
import { describeKoha, readKohaDocument } from '@passport/koha-description';
import type { Exchange, Release } from '../src/index.ts';
import { describedRelease, descriptionPlace, kohaDescription } from './support/koha-description.ts';
import { created, withCheckout } from './support/koha-checkout.ts';
import { sendRequest, withKoha } from './support/with-koha.ts';

interface Swagger {
  readonly paths: Readonly<Record<string, Readonly<Record<string, SwaggerOperation>>>>;
  readonly definitions: Readonly<Record<string, { readonly properties: Readonly<Record<string, Property>> }>>;
  readonly parameters: Readonly<Record<string, SwaggerParameter>>;
}
interface SwaggerOperation {
  readonly parameters?: readonly (SwaggerParameter & { readonly $ref?: string })[];
  readonly 'x-koha-authorization'?: unknown;
}
interface SwaggerParameter {
  readonly name: string;
  readonly in: string;
  readonly items?: { readonly enum?: readonly string[] };
}
interface Property {
  readonly type?: string | string[];
  readonly maxLength?: number;
  readonly readOnly?: boolean;
}

async function ownDescription(release: Release, plugin = true): Promise<Swagger> {
  let found: unknown;
  await withKoha({ release, plugin }, async (koha) => {
    const reply = await sendRequest(`${koha.url}/api/v1/`, 'GET');
    expect(reply.status).toBe(200);
    found = reply.body;
  });
  return found as Swagger;
}

describe('GET /api/v1/', () => {
  test('needs no login, and distinguishes the releases by paths and properties', async () => {
    const [old, middle, late] = await Promise.all([
      ownDescription('23.11'),
      ownDescription('24.11'),
      ownDescription('25.11'),
    ]);
    const barcodes = [old, middle, late].map(
      (api) => 'external_id' in (api.definitions['checkout']?.properties ?? {}),
    );
    const categories = [old, middle, late].map((api) => '/patron_categories' in api.paths);
    const confirming = [old, middle, late].map((api) =>
      api.paths['/patrons']?.['post']?.parameters?.some((one) => one.name === 'x-confirm-not-duplicate'),
    );
    expect({ barcodes, categories, confirming }).toEqual({
      barcodes: [false, true, true],
      categories: [false, true, true],
      confirming: [false, false, true],
    });
  });

  test('shows the plugin’s routes only where the plugin is', async () => {
    const contrib = (api: Swagger): string[] =>
      Object.keys(api.paths).filter((path) => path.startsWith('/contrib'));
    expect(contrib(await ownDescription('24.11', true))).toHaveLength(19);
    expect(contrib(await ownDescription('24.11', false))).toEqual([]);
  });

  test('is there as a page for people, too', () =>
    withKoha({}, async (koha) => {
      const reply = await sendRequest(`${koha.url}/api/v1/.html`, 'GET');
      expect(reply.headers.get('content-type')).toMatch(/^text\/html/);
      expect(reply.body).toContain('/patrons/{patron_id}');
    }));
});

/** A filter that later files of Koha's description have (`api/v1/swagger/paths/patrons.yaml`), and the double from 24.11 on. */
const laterFilters = ['preferred_name'];

const compared = kohaDescription === null ? test.skip : test;
const note = kohaDescription === null ? ' (skipped: KOHA_OPENAPI is not set)' : '';
const kohas = async (): Promise<Swagger> => (await readKohaDocument(descriptionPlace ?? '')) as Swagger;

/** A file may be put together from several releases: paths of 24.11 with objects of 25.11. */
const checkedOut = describedRelease(descriptionPlace ?? '');

describe('against Koha’s own description', () => {
  compared(`24.11 has its paths, parameters, lists and permissions${note}`, async () => {
    const koha = await kohas();
    const own = await ownDescription(checkedOut ?? '24.11');
    // Of the whole of Koha the double has a small part; one file can have less.
    const paths = Object.keys(own.paths).filter((path) => !path.startsWith('/contrib'));
    const methods = (path: string, method: string) =>
      own.paths[path]?.[method] !== undefined &&
      (checkedOut !== undefined || koha.paths[path]?.[method] !== undefined);
    expect(summaryOf(own, paths, methods)).toEqual(summaryOf(koha, paths, methods));
  });

  compared(`25.11 has its objects: names, types, limits, read-only flags${note}`, async () => {
    const koha = await kohas();
    const own = await ownDescription(checkedOut ?? '25.11');
    for (const name of [
      'patron',
      'patron_extended_attribute',
      'checkout',
      'checkout_availability',
      'patron_category',
    ]) {
      expect({ name, ...propertiesOf(own, name) }).toEqual({ name, ...propertiesOf(koha, name) });
    }
  });

  compared(`24.11 has no item property that Koha does not have${note}`, async () => {
    const koha = await kohas();
    const own = await ownDescription(checkedOut ?? '24.11');
    for (const name of ['item', 'library'])
      expect(propertiesOf(koha, name)).toMatchObject(propertiesOf(own, name));
  });
});

const json = { 'content-type': 'application/json' };

describe('a checkout of Koha', () => {
  test('is read with all the files that its description refers to, and checks like one file', () =>
    withCheckout(async (checkout) => {
      const koha = await describeKoha(checkout);
      const exchange = (requestBody: unknown): Exchange => ({ ...created, requestBody });
      expect(koha?.check(exchange({ surname: 'Doe', gender: null })).request).toEqual([]);
      expect(koha?.check(exchange({ surname: 1 })).request).toEqual(['body/surname: type {"type":"string"}']);
      expect(koha?.check(exchange({ patron_id: 1 })).request).toEqual(['body/patron_id: readOnly']);
      expect(koha?.check({ ...created, query: 'sort=x' }).request).toEqual(['query/sort: not described']);
      const cashup = {
        method: 'GET',
        path: '/cashups/{cashup_id}',
        status: 200,
        responseBody: { cashup_id: 'x' },
      };
      expect(koha?.check({ ...created, ...cashup }).answer).toEqual([
        'answer 200/cashup_id: type {"type":"integer"}',
      ]);
      expect(describedRelease(checkout)).toBe('24.11');
    }));

  test.each<[what: string, change: Partial<Exchange>, problems: readonly string[]]>([
    ['a page that is no number', { query: '_page=x' }, ['query/_page: no integer']],
    ['an unknown way to match', { query: '_match=is' }, ['query/_match: a value that is not in the list']],
    ['an unknown header', { requestHeaders: { ...json, 'x-new': '1' } }, ['x-new: not described']],
    ['a header of every route', { requestHeaders: { ...json, 'x-koha-library': 'MAIN' } }, []],
    [
      'an unknown embed',
      { requestHeaders: { ...json, 'x-koha-embed': 'checkouts,fines' } },
      ['x-koha-embed: a value that is not in the list'],
    ],
    ['a body of another type', { requestHeaders: {} }, ['body: not sent as JSON']],
    ['no body', { requestBody: undefined }, ['body: missing']],
    [
      'other fields of a form',
      { path: '/oauth/token', requestBody: { scope: 'all' } },
      ['form/grant_type: missing', 'form/scope: not described'],
    ],
  ])('names what it does not allow in a request: %s', (_what, change, problems) =>
    withCheckout(async (checkout) => {
      const koha = await describeKoha(checkout);
      expect(koha?.check({ ...created, ...change }).request).toEqual(problems);
    }),
  );

  test('that is not there is an error, not a description that nobody has', async () => {
    await expect(describeKoha('/nowhere/koha')).rejects.toThrow('ENOENT');
    expect(await describeKoha('')).toBeNull();
  });
});

function summaryOf(
  api: Swagger,
  paths: readonly string[],
  isWanted: (path: string, method: string) => boolean,
): unknown {
  return Object.fromEntries(
    paths.flatMap((path) =>
      Object.entries(api.paths[path] ?? {})
        .filter(([method]) => isWanted(path, method))
        .map(([method, operation]) => [
          `${method} ${path}`,
          { parameters: parametersOf(api, operation), permissions: operation['x-koha-authorization'] },
        ]),
    ),
  );
}

function parametersOf(api: Swagger, operation: SwaggerOperation): string[] {
  return (operation.parameters ?? [])
    .map((one) => (one.$ref === undefined ? one : api.parameters[one.$ref.replace('#/parameters/', '')]))
    .filter((one) => one !== undefined && !laterFilters.includes(one.name))
    .map((one) => `${one?.in} ${one?.name} ${[...(one?.items?.enum ?? [])].sort().join('|')}`.trim())
    .sort();
}

function propertiesOf(api: Swagger, name: string): Record<string, Property> {
  const properties = api.definitions[name]?.properties ?? {};
  return Object.fromEntries(
    Object.entries(properties).map(([key, { type, maxLength, readOnly }]) => [
      key,
      {
        type: type === undefined ? 'any' : [type].flat().join('|'),
        ...(maxLength === undefined ? {} : { maxLength }),
        ...(readOnly === undefined ? {} : { readOnly }),
      },
    ]),
  );
}
