import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from './patron-row.ts';

/** Whether this Koha hides patrons of other libraries from users who lack the permission for it. */
export function hidesPatrons(double: Double, user: PatronRow): boolean {
  const { settings } = double;
  const isHiding = settings.preferences.IndependentBranches === '1' || settings.groups_hide_patrons;
  return isHiding && !hasPermission(user.permissions, 'borrowers', 'view_borrower_infos_from_any_libraries');
}

export function canSee(double: Double, user: PatronRow, row: PatronRow): boolean {
  return row.columns.library_id === user.columns.library_id || !hidesPatrons(double, user);
}
