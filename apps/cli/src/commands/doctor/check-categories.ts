import type { CategoryChoice } from '@passport/config';
import type { KohaCategory } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, unchecked } from './finding.ts';
import { attempt, uncheckedFailure } from './koha-failure.ts';

/** Every category that a copy can get. */
export function categoriesOf(choice: CategoryChoice | null): string[] {
  if (choice === null) return [];
  if (choice.kind === 'one') return [choice.category];
  return [
    ...new Set([...Object.values(choice.map), ...(choice.otherwise === null ? [] : [choice.otherwise])]),
  ];
}

const page = (category: string): string => `Administration → Patron categories → ${category} → Edit →`;

function checkCategory(category: KohaCategory, { about }: Facts): Finding[] {
  const { category: code, enrolmentFee, type, canBeGuarantee } = category;
  const findings: Finding[] = [];
  if (type === 'X') {
    const problem = `${code} is a statistical category, and its patrons cannot borrow`;
    findings.push(fault('category_statistical', problem, `${page(code)} Category type: Adult`, code));
  }
  if ((enrolmentFee ?? 0) > 0) {
    const problem = `each copy is charged the enrolment fee of ${code}, which can then block the checkout`;
    findings.push(fault('enrolment_fee', problem, `${page(code)} Enrollment fee: empty`, code));
  }
  if (type === 'C' || canBeGuarantee === true) findings.push(...checkGuarantor(code, about));
  return findings;
}

function checkGuarantor(code: string, about: Facts['about']): Finding[] {
  const remedy = `${page(code)} Category type: Adult and Can be guarantee: No; or System preferences → ChildNeedsGuarantor: don't`;
  if (about === null) {
    const problem = `whether patrons of ${code} need a guarantor (ChildNeedsGuarantor), only the plugin can report`;
    return [unchecked('category_needs_guarantor', problem, remedy, code)];
  }
  if (about.preferences['ChildNeedsGuarantor'] !== '1') return [];
  const problem = `patrons of ${code} need a guarantor (ChildNeedsGuarantor), which no copy can have`;
  return [fault('category_needs_guarantor', problem, remedy, code)];
}

export const unknownCategory = (code: string): Finding =>
  fault(
    'category_unknown',
    `Koha has no patron category ${code}`,
    `Administration → Patron categories → New category with the code ${code}; or set copy.category to an existing one`,
    code,
  );

/** What is wrong with the patron categories of the copies. */
export async function checkCategories({ koha, library }: Examinee, facts: Facts): Promise<Finding[]> {
  const wanted = categoriesOf(library.copy.category);
  const what = `type and enrolment fee of the category ${wanted.join(', ')}`;
  if (!facts.capabilities.patronCategories) {
    const remedy =
      'check it yourself: Administration → Patron categories; no enrolment fee, and the type Adult';
    return [
      unchecked('category_unknown', `this release does not show ${what}, nor whether it exists`, remedy),
    ];
  }
  const read = await attempt(koha.categories());
  if ('error' in read) {
    return [
      uncheckedFailure(read.error, {
        code: 'enrolment_fee',
        what,
        knownPermission: 'parameters: manage_patron_categories',
      }),
    ];
  }
  return wanted.flatMap((code) => {
    const found = read.value.find(({ category }) => category === code);
    return found === undefined ? [unknownCategory(code)] : checkCategory(found, facts);
  });
}
