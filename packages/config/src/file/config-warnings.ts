import { type CardForm, numberOf, patternOf } from '../cards/card-form.ts';
import { isAnchored } from '../cards/card-pattern.ts';
import { exampleCards } from '../cards/find-common-card.ts';
import type { Consortium } from '../schema/consortium-schema.ts';
import type { Library } from '../schema/library-schema.ts';
import { formatPath } from '../problems/config-error.ts';
import { cardOverlaps, nameSome } from './card-overlaps.ts';

/** Something that is allowed and probably not meant. */
export interface ConfigWarning {
  readonly path: string;
  readonly warning: string;
  /** The ids of the libraries that it is about. */
  readonly libraries: readonly string[];
}

/** Whether two cards that differ at one place become the same number: then one of them may be another person's. */
function isLossy(form: CardForm): boolean {
  if (form instanceof RegExp) return false;
  return exampleCards(form.scanned).some((card) => {
    const numbers = [...card].flatMap((_, place) =>
      [...'0123456789'].map((digit) => `${card.slice(0, place)}${digit}${card.slice(place + 1)}`),
    );
    const found = [...new Set(numbers)].map((each) => numberOf(form, each)).filter((each) => each !== null);
    return new Set(found).size < found.length;
  });
}

/** Home libraries whose cards can become a number that is somebody else's at a lending library whose patterns keep no card apart. */
function warnOfForms({ libraries, agreements }: Consortium): ConfigWarning[] {
  const homes = libraries.filter(
    ({ enabled, cards }) => enabled && cards.some((form) => !(form instanceof RegExp)),
  );
  return libraries.flatMap(({ id, enabled, cards }, place) => {
    if (!enabled || cards.length > 0 || homes.length === 0) return [];
    const lendsTo = agreements.homesAt(id);
    const found = homes.flatMap((home) => (lendsTo.has(home.id) ? [home.id] : []));
    if (found.length === 0) return [];
    const warning = `is empty, and cards of ${nameSome(found)} are scanned in other forms: where a patron of this library has the number that one becomes, its bearer is refused (LOCAL_CONFLICT)`;
    return [{ path: formatPath(['libraries', place, 'cards']), warning, libraries: [id] }];
  });
}

function warningsOfLibrary(library: Library, { agreements, locate }: Consortium): [string, string][] {
  const { id, copy, webhookSecrets, enabled, cards, eligibility, refresh } = library;
  const isLending = agreements.isLending(id);
  const isQueried = enabled && agreements.isHome(id);
  const queriedFor = locate.patternsDecide
    ? 'every card that no other library knows, and sees its number'
    : 'every card that is scanned anywhere, sees its number, and can make any card ambiguous';
  const isOpen = !cards.map(patternOf).every(isAnchored);
  const stopsAlike = copy.onLookAlike !== 'create' && !copy.fields.includes('date_of_birth');
  const all: [applies: boolean, path: string, warning: string][] = [
    [!enabled, 'enabled', 'the library is not enabled: neither queried nor served'],
    [
      isLending && stopsAlike,
      'copy.fields',
      'date_of_birth is not copied while possible duplicates stop a copy: every patron of the same name may count as one',
    ],
    [
      isLending && copy.homeKeyAttribute === null,
      'copy.home_key_attribute',
      'is null: a patron with a replaced card gets a second copy',
    ],
    [
      isLending && eligibility.restricted === 'allow' && refresh === null,
      'eligibility.restricted',
      'is allow, and refresh is off: a restriction that is carried into a copy stays there when home lifts it or sets another end',
    ],
    [
      enabled && webhookSecrets.length > 0 && !isLending,
      'webhook_secrets',
      'no agreement has this library as its lending library',
    ],
    [isQueried && cards.length === 0, 'cards', `is empty: this library is queried for ${queriedFor}`],
    [
      isQueried && cards.some(isLossy),
      'cards',
      'different cards become one number: put all that tells them apart into groups of scanned, or say that the last digit is a check digit (check_digit)',
    ],
    [isQueried && isOpen, 'cards', 'a pattern without ^ and $ also fits longer texts'],
  ];
  return all.flatMap(([applies, path, warning]) => (applies ? [[path, warning]] : []));
}

/** What a careful reader would question in a configuration that is valid. */
export function configWarnings(consortium: Consortium): readonly ConfigWarning[] {
  return [
    ...consortium.libraries.flatMap((library, place) =>
      warningsOfLibrary(library, consortium).map(([path, warning]) => ({
        path: `libraries[${place}].${path}`,
        warning,
        libraries: [library.id],
      })),
    ),
    ...cardOverlaps(consortium).map(({ path, problem, libraries }) => ({
      path: formatPath(path),
      warning: problem,
      libraries,
    })),
    ...warnOfForms(consortium),
  ];
}
