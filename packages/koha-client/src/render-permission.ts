import { z } from 'zod';

const ruleSchema = z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())]));
const rulesSchema = z.union([ruleSchema.transform((rule) => [rule]), z.array(ruleSchema)]);

/**
 * Puts Koha's `required_permissions` into words a person can look up in Koha: `borrowers: edit_borrowers`; several that each
 * suffice are joined by " or ". Null when the body names none.
 */
export function renderPermission(requiredPermissions: unknown): string | null {
  const rules = rulesSchema.safeParse(requiredPermissions);
  if (!rules.success) return null;
  const words = rules.data.map((rule) =>
    Object.entries(rule)
      .map(([area, what]) => `${area}: ${Array.isArray(what) ? what.join(', ') : what}`)
      .join(' and '),
  );
  return words.join(' or ') || null;
}
