import { expect, test } from '@jest/globals';
import { parseConsortium } from '@passport/config';
import { knownLibraries } from '../src/shell/known-libraries.ts';
import { libraryWarnings } from '../src/overview/library-table.ts';
import type { Overview } from '../src/overview/read-overview.ts';

/** What the front page says of a consortium with these card patterns. */
function warningsFor(cards: Readonly<Record<string, readonly string[]>>): string {
  const file = {
    consortium: 'Test Libraries',
    libraries: Object.entries(cards).map(([id, patterns], place) => ({
      id,
      name: `Library & Archive of ${id}`,
      koha: {
        url: `https://${id}.example.org`,
        client_id: { env: `ID_${place}` },
        client_secret: { env: `SECRET_${place}` },
      },
      webhook_secrets: [{ env: `HOOK_${place}` }],
      copy: { category: 'PT' },
      cards: patterns,
    })),
    agreements: 'all',
  };
  const places = Object.keys(cards).keys();
  const environment = Object.fromEntries(
    [...places].flatMap((place) => [
      [`ID_${place}`, `id-of-number-${place}`],
      [`SECRET_${place}`, `a-secret-for-api-${place}`],
      [
        `HOOK_${place}`,
        `whsec_${Buffer.from(`a-secret-7b1e9c40d5a2f8-${place}`.padEnd(32, '.')).toString('base64')}`,
      ],
    ]),
  );
  const consortium = parseConsortium(JSON.stringify(file), environment, () => '');
  const libraries = knownLibraries(consortium);
  return String(libraryWarnings({ libraries } as unknown as Overview));
}

test('the front page names a library without card patterns, and libraries whose patterns overlap', () => {
  const shown = warningsFor({ midland: ['^21234\\d{9}$'], riverside: ['^2\\d{13}$'], lakeside: [] });
  expect(shown).toMatch(
    /Library &amp; Archive of lakeside<\/strong>: cards: is empty: .* queried for every card/,
  );
  expect(shown).toMatch(/of riverside<\/strong>: cards: .* midland \(\^21234\\d\{9\}\$\)/);
});

test('it says nothing where patterns keep apart', () => {
  expect(warningsFor({ midland: ['^21234\\d{9}$'], riverside: ['^25678\\d{9}$'] })).toBe('null');
});
