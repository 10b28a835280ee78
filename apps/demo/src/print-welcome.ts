import type { DemoFile } from './demo-file.ts';

/** Kinds of sample cards, as people say them. */
const KINDS = {
  eligible: 'may borrow',
  children: 'may borrow (children)',
  expired: 'membership over',
  restricted: 'restricted',
  card_lost: 'reported lost',
  address_unconfirmed: 'address to confirm',
  debt: 'owes more than 25',
  staff: 'staff, not shared',
  two_homes: 'two libraries have it',
} as const;

/** Says where everything is and what to try first, once the demo runs. */
export function printWelcome(file: DemoFile, startedInMs: number, say: (line: string) => void): void {
  const riverside = file.libraries.find(({ id }) => id === 'riverside');
  const midland = file.libraries.find(({ id }) => id === 'midland');
  const [card = '', another = ''] = midland?.sample_cards.eligible ?? [];
  const [item = ''] = riverside?.sample_items ?? [];
  const [expired = ''] = midland?.sample_cards.expired ?? [];
  const desk = `${riverside?.koha_url ?? ''}/cgi-bin/koha/circ/circulation.pl`;
  const addresses = file.libraries.map(({ id, koha_url }) => `  ${id.padEnd(10)} ${koha_url}/cgi-bin/koha/`);
  const cards = Object.entries(KINDS).map(([kind, text]) => {
    const some = midland?.sample_cards[kind as keyof typeof KINDS] ?? [];
    return `  ${text.padEnd(22)} ${some.slice(0, 3).join('  ')}`;
  });
  say(`
Three libraries share their patrons here. Started in ${(startedInMs / 1_000).toFixed(1)} s; everything is made up and gone when it stops.

${addresses.join('\n')}
  receiver   ${file.receiver}/openapi.json
  dashboard  ${file.dashboard.url}   user ${file.dashboard.user}, password ${file.dashboard.password}

Three things to try:
  1. The first scan just works. Open riverside's desk, scan a midland card that riverside has never seen,
     and check out a book:
       ${desk}   card ${card}   book ${item}
  2. The same without a browser, and a card that may not borrow:
       . .demo/env
       echo ${another} | npx passport send --at riverside --card - --wait
       echo ${expired} | npx passport explain --at riverside --card -
  3. A library that is down. Make midland hang for the next look-ups, scan again, watch the dashboard:
       curl -s ${midland?.koha_url ?? ''}/_double/faults -H 'content-type: application/json' \\
         -d '[{"operation": "GET /patrons", "kind": "hang", "times": 3}]'

The plugin's pages, as a systems librarian finds them in Koha: its status (Run tool) and its configuration:
  ${riverside?.koha_url ?? ''}/cgi-bin/koha/plugins/plugins-home.pl

Cards of midland, to scan at riverside:
${cards.join('\n')}

Addresses, secrets and more cards: .demo/demo.json. Logs: .demo/logs. Ctrl-C stops everything.
`);
}
