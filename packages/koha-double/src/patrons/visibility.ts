import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import type { PatronRow } from './patron-row.ts';

/**
 * The branches whose patrons a user finds, or null: all. `Koha/Patron.pm`, `libraries_where_can_see_things`: under
 * `IndependentBranches` the own one, whatever the permission; else all with the permission; else those of a library
 * group that hides, which here is the own branch. Newer code shows all where the groups of the branch hide nothing.
 */
export function searchableBranches({ settings }: Double, user: PatronRow): ReadonlySet<string> | null {
  const own = new Set([user.columns.library_id]);
  const isBound =
    settings.preferences.IndependentBranches === '1' &&
    !hasPermission(user.permissions, 'superlibrarian', '1');
  if (isBound) return own;
  if (seesAll(user)) return null;
  return settings.groups_hide_patrons === false && isFrom(settings.release, '26.05') ? null : own;
}

/** Whether a patron is shown whole: `can_see_patrons_from` honours the permission under `IndependentBranches`, too. */
export function canSee(double: Double, user: PatronRow, row: PatronRow): boolean {
  if (row.columns.library_id === user.columns.library_id || seesAll(user)) return true;
  return searchableBranches(double, user)?.has(row.columns.library_id) ?? true;
}

/** Whether a look-up by number finds the patron: it searches like a list (`Koha/REST/V1/Patrons.pm`, `get`). */
export function canFind(double: Double, user: PatronRow, row: PatronRow): boolean {
  return searchableBranches(double, user)?.has(row.columns.library_id) ?? true;
}

function seesAll(user: PatronRow): boolean {
  return hasPermission(user.permissions, 'borrowers', 'view_borrower_infos_from_any_libraries');
}
