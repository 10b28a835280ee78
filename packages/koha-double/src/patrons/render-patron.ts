import type { ApiCall } from '../api/operation.ts';
import type { Double } from '../double.ts';
import { order } from '../query/matches.ts';
import { isRecord } from '../record.ts';
import { isFrom, type Release } from '../release.ts';
import { patronFields, type PatronField } from './patron-fields.ts';
import { isExpired, isRestricted, type AttributeRow, type PatronRow } from './patron-row.ts';
import { canSee } from './visibility.ts';

const fieldsByRelease = new Map<Release, readonly PatronField[]>();

/**
 * A patron as the API answers it: a column of the future too, if the row has one. Where the user may not see the
 * patron, everything but the library is null, yet `restricted` and `expired` are filled
 * (`Koha/Patron.pm`, `unredact_list` and `to_api`).
 */
export function renderPatron(call: ApiCall, row: PatronRow, embeds: readonly string[] = []): unknown {
  const { double, release } = call;
  const isVisible = canSee(double, call.user, row);
  const rendered: Record<string, unknown> = {};
  for (const field of fieldsOf(release)) {
    const isShown = isVisible || field.name === 'library_id';
    rendered[field.name] = isShown ? (row.columns[field.name] ?? blankOf(field)) : null;
  }
  const today = double.clock.today();
  rendered['restricted'] = isRestricted(row, today);
  if (isFrom(release, '24.11')) rendered['expired'] = isExpired(row, today);
  const future = row.hidden['future_columns'];
  if (isRecord(future) && isVisible) Object.assign(rendered, future);
  for (const embed of embeds) addEmbed(rendered, embed, double, row);
  return rendered;
}

/** What stands for NULL (`Koha/Object.pm`, `TO_JSON`: a boolean column is true or false). */
const blankOf = ({ kind }: PatronField): false | null => (kind === 'boolean' ? false : null);

/**
 * A patron's attributes in the order in which Koha reads them: by type and value (`Koha/Patron/Attributes.pm`), as
 * they came before 24.05.
 */
export function orderedAttributes(release: Release, row: PatronRow): readonly AttributeRow[] {
  if (!isFrom(release, '24.05')) return row.attributes;
  return [...row.attributes].sort(
    (a, b) =>
      order(a.type, b.type) ||
      order(a.value ?? '', b.value ?? '') ||
      a.extended_attribute_id - b.extended_attribute_id,
  );
}

function fieldsOf(release: Release): readonly PatronField[] {
  const known = fieldsByRelease.get(release);
  if (known !== undefined) return known;
  const fields = patronFields.filter((field) => field.since === undefined || isFrom(release, field.since));
  fieldsByRelease.set(release, fields);
  return fields;
}

function addEmbed(rendered: Record<string, unknown>, embed: string, double: Double, row: PatronRow): void {
  const { checkouts, libraries, categories } = double.db;
  switch (embed) {
    case 'extended_attributes':
      rendered['extended_attributes'] = orderedAttributes(double.settings.release, row);
      return;
    case 'checkouts+count':
      rendered['checkouts_count'] = checkouts.countOfPatron(row.patron_id);
      return;
    case 'overdues+count': {
      const now = double.clock.timestamp();
      const overdue = checkouts.ofPatron(row.patron_id).filter((checkout) => checkout.due_date < now);
      rendered['overdues_count'] = overdue.length;
      return;
    }
    case 'account_balance':
      rendered['account_balance'] = row.account_balance;
      return;
    case 'library':
      rendered['library'] = libraries.get(row.columns.library_id) ?? null;
      return;
    case '+strings':
      rendered['_strings'] = {
        library_id: { str: libraries.get(row.columns.library_id)?.name ?? '', type: 'library' },
        category_id: { str: categories.get(row.columns.category_id)?.name ?? '', type: 'patron_category' },
      };
      return;
    default:
  }
}
