import type { Consortium } from '@passport/config';
import { passesCategoryFilter } from '@passport/patron-rules';
import { categoriesOf } from './check-categories.ts';
import type { Examined } from './compare-kohas.ts';
import type { Examinee } from './examinee.ts';
import { type Finding, unchecked, warning } from './finding.ts';
import { attempt } from './koha-failure.ts';

/** The map of a lending library that has no category for what is not in it; null when every home category has one. */
function closedMapOf({ library, isLending }: Examinee): Readonly<Record<string, string>> | null {
  const { category } = library.copy;
  if (!isLending || category?.kind !== 'by_home_category') return null;
  return category.otherwise === null ? category.map : null;
}

/** The home categories whose patrons are shared and have no category here. */
async function checkHome(lending: Examinee, home: Examinee, { agreements }: Consortium): Promise<Finding[]> {
  const map = closedMapOf(lending);
  const agreement = agreements.at(lending.library.id).find((each) => each.home === home.library.id);
  if (map === null || agreement === undefined) return [];
  const { id } = home.library;
  const remedy =
    'add it to copy.category.by_home_category, give an otherwise, or leave it out with share or the agreement';
  const read = await attempt(home.koha.categories());
  if ('error' in read) {
    const problem = `whether every patron category of ${id} has one here cannot be seen`;
    return [
      unchecked(
        'category_unmapped',
        problem,
        `give an otherwise in copy.category, or let doctor see ${id}'s categories: check "parameters: manage_patron_categories"`,
        id,
      ),
    ];
  }
  // A patron there with the category of copies is a copy, and no copy is a home record.
  const ofCopies = categoriesOf(home.library.copy.category);
  return read.value
    .map(({ category }) => category)
    .filter((code) => !ofCopies.includes(code))
    .filter((code) => passesCategoryFilter(home.library.share.categories, code) === true)
    .filter((code) => passesCategoryFilter(agreement.categories, code) === true && map[code] === undefined)
    .map((code) =>
      warning(
        'category_unmapped',
        `patrons of ${id} with the category ${code} have no category here`,
        remedy,
        `${id} ${code}`,
      ),
    );
}

/** T-13: what a closed category map leaves out, by the id of the lending library. Compares with the homes that were examined. */
export async function compareCategories(
  examined: readonly Examined[],
  consortium: Consortium,
): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const reached = examined.filter(({ examination }) => examination.isOpen).map(({ examinee }) => examinee);
  const found = new Map<string, readonly Finding[]>();
  for (const lending of reached.filter((examinee) => closedMapOf(examinee) !== null)) {
    const homes = reached.filter((home) => home !== lending);
    const findings = await Promise.all(homes.map((home) => checkHome(lending, home, consortium)));
    found.set(lending.library.id, findings.flat());
  }
  return found;
}
