/**
 * A route's rule as Koha's description writes it: module -> sub-permission, `"1"` for the whole module;
 * a list is any-of.
 */
export type PermissionRule = Readonly<Record<string, string>> | readonly Readonly<Record<string, string>>[];

/**
 * Whether `granted` meets a rule. Grants are written `borrowers:edit_borrowers`, `borrowers:1` (or `borrowers`) for
 * a whole module, `superlibrarian` for everything.
 */
export function isAllowed(granted: ReadonlySet<string>, rule: PermissionRule): boolean {
  if (granted.has('superlibrarian')) return true;
  const alternatives = isList(rule) ? rule : [rule];
  return alternatives.some((wanted) =>
    Object.entries(wanted).every(([module, sub]) => hasPermission(granted, module, sub)),
  );
}

export function hasPermission(granted: ReadonlySet<string>, module: string, sub: string): boolean {
  return (
    granted.has('superlibrarian') ||
    granted.has(module) ||
    granted.has(`${module}:1`) ||
    granted.has(`${module}:${sub}`)
  );
}

function isList(rule: PermissionRule): rule is readonly Readonly<Record<string, string>>[] {
  return Array.isArray(rule);
}
