import { isRecord } from '../record.ts';

const code = 'extended_attributes.code';
const value = 'extended_attributes.attribute';
/** A name that the database does not take for the name of a joined table. */
const unfit = /[\s.`]/;

/**
 * What Koha makes of a query on attributes that are embedded (`Koha/Objects/Mixin/ExtendedAttributes.pm`): each type
 * that is named gets a joined table of its own, so that several can be combined; a type without a value becomes one
 * with the value null. It looks into one key of an object only, at random: beside a second key `-and` stays as it is
 * here, where Koha would find it now and then. Null: a type that makes no name of a table.
 */
export function rewriteAttributeQuery(query: unknown): { readonly query: unknown } | null {
  if (Array.isArray(query)) {
    const parts = query.map(rewriteAttributeQuery);
    return parts.includes(null) ? null : { query: parts.map((part) => part?.query) };
  }
  if (!isRecord(query)) return { query };
  const type = query[code];
  if (typeof type === 'string' && type !== '') {
    if (unfit.test(type)) return null;
    const { [code]: _code, [value]: wanted = null, ...others } = query;
    const alias = `extended_attributes_${type}`;
    return { query: { ...others, [`${alias}.code`]: type, [`${alias}.attribute`]: wanted } };
  }
  const [only, ...others] = Object.entries(query);
  if (only === undefined || others.length > 0) return { query };
  const inside = rewriteAttributeQuery(only[1]);
  return inside === null ? null : { query: { [only[0]]: inside.query } };
}
