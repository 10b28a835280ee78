import { ok, problem, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { filter, withErrors } from '../api/parameters.ts';
import { reference } from '../json-schema.ts';
import { asText } from '../record.ts';
import { isFrom } from '../release.ts';
import { effectiveRule } from './effective-rule.ts';
import type { CirculationRuleRow } from './setup-rows.ts';

const permissions = [{ circulate: 'circulate_remaining_permissions' }];

const every = ['branchcode', 'categorycode', 'itemtype'] as const;

/** Rule kinds and the levels they can be set for: those around lending. */
const kinds: Readonly<Record<string, { readonly scope: readonly string[] }>> = {
  issuelength: { scope: every },
  lengthunit: { scope: every },
  maxissueqty: { scope: every },
  maxonsiteissueqty: { scope: every },
  patron_maxissueqty: { scope: ['branchcode', 'categorycode'] },
  renewalperiod: { scope: every },
  renewalsallowed: { scope: every },
  reservesallowed: { scope: every },
  fine: { scope: every },
  finedays: { scope: every },
  rentaldiscount: { scope: every },
  article_requests: { scope: every },
};

const listRules: Operation = {
  method: 'GET',
  path: '/circulation_rules',
  since: '24.11',
  spec: () => ({
    parameters: [
      filter('effective', 'boolean'),
      filter('item_type_id'),
      filter('library_id'),
      filter('patron_category_id'),
      filter('rules'),
    ],
    responses: withErrors({ '200': { type: 'array', items: reference('circulation_rules') } }),
    permissions,
  }),
  handle: (call) => {
    const { db } = call.double;
    const wrong =
      wrongCode(call, 'patron_category_id', '/api/v1/patron_categories', db.categories) ??
      wrongCode(call, 'library_id', '/api/v1/libraries', db.libraries) ??
      wrongCode(call, 'item_type_id', '/api/v1/item_types', db.itemTypes) ??
      wrongRule(call);
    if (wrong !== null) return wrong;
    return ok(call.query['effective'] === false ? storedRules(call) : [effectiveRules(call)]);
  },
};

const listKinds: Operation = {
  method: 'GET',
  path: '/circulation_rules/kinds',
  spec: () => ({
    parameters: [],
    responses: withErrors({
      '200': { type: 'object', additionalProperties: reference('circ-rule-kind') },
    }),
    permissions,
  }),
  handle: () => ok(kinds),
};

function wrongCode(
  call: ApiCall,
  name: string,
  uri: string,
  known: ReadonlyMap<string, unknown>,
): Answer | null {
  const code = asText(call.query[name]);
  if (code === '' || code === '*' || known.has(code)) return null;
  return invalidValue(`/query/${name}`, { uri, field: name });
}

/** From 25.05 on a name that is no rule is answered with null. */
function wrongRule(call: ApiCall): Answer | null {
  if (isFrom(call.release, '25.05')) return null;
  const isKnown = wantedRules(call).every((rule) => Object.hasOwn(kinds, rule));
  if (isKnown) return null;
  return invalidValue('/query/rules', { uri: '/api/v1/circulation_rules/kinds', field: 'rules' });
}

function invalidValue(path: string, values: Readonly<Record<string, string>>): Answer {
  return problem(400, 'Invalid parameter value', { error_code: 'invalid_parameter_value', path, values });
}

function wantedRules(call: ApiCall): readonly string[] {
  const given = call.query['rules'];
  return typeof given === 'string' && given !== '' ? given.split(',') : Object.keys(kinds);
}

function scopeOf(call: ApiCall, name: string): string {
  const value = call.query[name];
  return typeof value === 'string' && value !== '' ? value : '*';
}

function effectiveRules(call: ApiCall): Record<string, unknown> {
  const scope = {
    library_id: scopeOf(call, 'library_id'),
    patron_category_id: scopeOf(call, 'patron_category_id'),
    item_type_id: scopeOf(call, 'item_type_id'),
  };
  const found: Record<string, unknown> = {
    context: { library_id: '*', patron_category_id: '*', item_type_id: '*' },
  };
  for (const rule of wantedRules(call)) {
    found[rule] = effectiveRule(call.double.db.circulationRules, rule, scope)?.value ?? null;
  }
  return found;
}

/** Whoever has any rule at all and fits the requested scopes, with null for the wanted rules that are not stored there. */
function storedRules(call: ApiCall): unknown[] {
  const wanted = wantedRules(call);
  const byContext = new Map<string, Record<string, unknown>>();
  for (const row of call.double.db.circulationRules) {
    if (!fitsScopes(call, row)) continue;
    const context = {
      library_id: row.library_id,
      patron_category_id: row.patron_category_id,
      item_type_id: row.item_type_id,
    };
    const key = Object.values(context).join('\n');
    const nothing = Object.fromEntries(wanted.map((rule) => [rule, null]));
    const entry = byContext.get(key) ?? { context, ...nothing };
    byContext.set(key, entry);
    if (wanted.includes(row.rule)) entry[row.rule] = row.value;
  }
  return [...byContext.values()];
}

function fitsScopes(call: ApiCall, row: CirculationRuleRow): boolean {
  return (['library_id', 'patron_category_id', 'item_type_id'] as const).every((name) => {
    const wanted = call.query[name];
    return wanted === undefined || wanted === '' || row[name] === wanted;
  });
}

export const ruleRoutes: readonly Operation[] = [listRules, listKinds];
