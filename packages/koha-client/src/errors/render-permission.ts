import * as z from 'zod';

/**
 * The permissions that Koha's routes of ours have required in any release from 23.11 to 26.05 (`x-koha-authorization` in
 * `api/v1/swagger/paths/*.yaml`, `apps/koha-plugin/openapi.json`): `1` is the whole area. Koha's answer only chooses among these.
 */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  borrowers: [
    '1',
    'edit_borrowers',
    'list_borrowers',
    'delete_borrowers',
    'view_borrower_infos_from_any_libraries',
  ],
  catalogue: ['1'],
  circulate: ['1', 'circulate_remaining_permissions', 'manage_bookings'],
  editcatalogue: ['1', 'edit_catalogue'],
  updatecharges: ['1', 'remaining_permissions'],
  parameters: ['1', 'manage_patron_categories', 'manage_libraries', 'manage_circ_rules'],
  tools: ['1', 'label_creator'],
  serials: ['1', 'routing'],
  acquisition: ['1', 'order_manage'],
};

const MAX_RULES = 10;
const namesSchema = z.preprocess(
  (what): unknown[] => (Array.isArray(what) ? what.slice(0, MAX_RULES) : [what]),
  z.array(z.union([z.string(), z.number().transform(String)])),
);
const ruleSchema = z.record(z.string(), namesSchema);

/**
 * Puts Koha's `required_permissions` into words a person can look up in Koha: `borrowers: edit_borrowers`; several that each
 * suffice are connected by " or ". Only permissions that are known here are named; null when there is none.
 */
export function renderPermission(requiredPermissions: unknown): string | null {
  const rules = Array.isArray(requiredPermissions)
    ? requiredPermissions.slice(0, MAX_RULES)
    : [requiredPermissions];
  return rules.flatMap((rule) => renderRule(rule) ?? []).join(' or ') || null;
}

/** A rule requires all its parts; one that is not known here makes the whole rule one that cannot be named. */
function renderRule(json: unknown): string | null {
  if (typeof json !== 'object' || json === null || Object.keys(json).length > MAX_RULES) return null;
  const rule = ruleSchema.safeParse(json);
  if (!rule.success) return null;
  const parts = Object.entries(rule.data).map(([area, names]) => {
    const known = Object.hasOwn(PERMISSIONS, area) ? PERMISSIONS[area] : undefined;
    const isKnown = names.length > 0 && names.every((name) => known?.includes(name) === true);
    return isKnown ? `${area}: ${names.join(', ')}` : null;
  });
  return parts.length > 0 && !parts.includes(null) ? parts.join(' and ') : null;
}
