import { demoSamples, demoSeed } from '@passport/koha-double';
import type { DemoKoha } from './start-kohas.ts';

/** How many copies the older plugin left, from the end of midland's list of cards. */
const LEFT = 3;

/** Cards of midland that riverside has copies of, made by the plugin that it used before: no card for a first scan. */
export function olderCards(): readonly string[] {
  return demoSamples('midland').eligible.slice(-LEFT);
}

/**
 * Leaves three copies at riverside as Patron Passport for Koha marked them, with the name of a server and no home key,
 * for `passport copies adopt`: one that agrees with home, one whose card somebody else has there, and one of a server
 * that nobody knows any more.
 */
export function leaveOlderCopies(kohas: readonly DemoKoha[]): void {
  const midland = kohas.find(({ library }) => library.id === 'midland');
  const riverside = kohas.find(({ library }) => library.id === 'riverside');
  if (midland === undefined || riverside === undefined) return;
  const { patrons } = demoSeed('midland', midland.koha.credentials);
  const [agrees, differs, forgotten] = olderCards();
  const leave = (card: string | undefined, server: string, change: Readonly<Record<string, string>> = {}) => {
    const home = patrons.find(({ cardnumber }) => cardnumber === card);
    if (card === undefined || home === undefined) return;
    const { firstname, surname, date_of_birth } = home;
    riverside.koha.putPatron(card, {
      firstname,
      surname,
      date_of_birth,
      category_id: 'PT',
      ...change,
      extended_attributes: [{ type: 'PASSPORTED', value: server }],
    });
  };
  leave(agrees, 'ServerB');
  leave(differs, 'ServerB', { surname: 'Okafor', date_of_birth: '1961-02-03' });
  leave(forgotten, 'ServerC');
}
