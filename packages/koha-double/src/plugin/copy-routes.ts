import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation, Parameter } from '../api/operation.ts';
import { jsonBody, withErrors } from '../api/parameters.ts';
import type { JsonSchema } from '../json-schema.ts';
import type { Double } from '../double.ts';
import { restrictionsOf } from '../patrons/restrictions.ts';
import { isRecord } from '../record.ts';
import type { CopyRow } from './copy-table.ts';
import { isSentAsJson, notJson } from './json-only.ts';
import { kinds } from './restriction-routes.ts';

const anyObject: JsonSchema = { type: 'object', additionalProperties: true };
const service = { borrowers: 'edit_borrowers' };
const patronId = { name: 'patron_id', in: 'path', required: true, type: 'integer' } as const;
const mostRows = 200;

const number = (name: string): Parameter => ({ name, in: 'query', required: false, type: 'integer' });

const rowBody: JsonSchema = {
  type: 'object',
  properties: {
    version: { type: 'integer' },
    home_key: { type: 'string', minLength: 3, maxLength: 255 },
    fields: anyObject,
  },
  additionalProperties: false,
  required: ['version', 'home_key', 'fields'],
};

const listCopies: Operation = {
  method: 'GET',
  path: '/contrib/passport/copies',
  plugin: true,
  spec: () => ({
    parameters: [number('after'), number('up_to'), number('limit')],
    responses: withErrors({ '200': anyObject }),
    permissions: service,
  }),
  handle: ({ double, query }) => {
    const { after = 0, up_to: upTo = Infinity, limit = mostRows } = query;
    if (Number(limit) > mostRows) return problem(400, 'The page is too long');
    const rows = double.db.copies
      .rows()
      .filter(({ patron_id: id }) => id > Number(after) && id <= Number(upTo));
    const page = rows.slice(0, Number(limit));
    return ok({ copies: page.map((row) => ({ ...row, restricted_at: restrictedAt(double, row) })) });
  },
};

/** The home libraries for which the service has restricted a copy. */
function restrictedAt({ db }: Double, { patron_id: id }: CopyRow): string[] {
  const { type, comment } = kinds.home;
  const row = db.patrons.get(id);
  const own = row === undefined ? [] : restrictionsOf(row).filter((each) => each.type === type);
  return own.map((each) => each.comment.slice(comment.length)).toSorted();
}

const keepCopy: Operation = {
  method: 'PUT',
  path: '/contrib/passport/copies/{patron_id}',
  plugin: true,
  spec: () => ({
    parameters: [patronId, jsonBody(rowBody)],
    responses: withErrors({ '200': anyObject }, 409, 415),
    permissions: service,
  }),
  handle: (call) => (isSentAsJson(call) ? keep(call) : notJson()),
};

function keep({ double, path, body }: ApiCall): Answer {
  if (!isRecord(body) || !isRecord(body['fields']) || !Object.values(body['fields']).every(isHashed)) {
    return problem(400, 'This is no row of a copy');
  }
  const { version, home_key: homeKey, fields } = body;
  const row = {
    patron_id: Number(path['patron_id']),
    version: Number(version),
    home_key: String(homeKey),
    fields,
  };
  const stored = double.db.copies.keep(row, double.realNowMs());
  if (stored !== null) return ok({ version: stored });
  return problem(409, 'The row was stored by somebody else since', { error_code: 'other_version' });
}

/** Keyed hash, time and event, and nothing beside them: a value in the clear above all. */
function isHashed(field: unknown): boolean {
  if (!isRecord(field) || Object.keys(field).toSorted().join() !== 'at,event,hash') return false;
  const { hash, at, event } = field;
  return (
    /^[\w-]{6}:[\w-]{43}$/.test(String(hash)) &&
    Number.isInteger(at) &&
    /^[A-Za-z0-9_-]{1,128}$/.test(String(event))
  );
}

export const copyRoutes: readonly Operation[] = [listCopies, keepCopy];
