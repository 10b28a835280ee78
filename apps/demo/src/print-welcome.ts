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
} as const;

/** Where a desk is in a browser. */
export function deskUrl({ libraries }: DemoFile, id = 'riverside'): string {
  return `${kohaUrl(libraries, id)}/cgi-bin/koha/circ/circulation.pl`;
}

const kohaUrl = (libraries: DemoFile['libraries'], id: string): string =>
  libraries.find((library) => library.id === id)?.koha_url ?? '';

/** Says where everything is and what to try first, once the demo runs: within 78 columns, what is to be copied on lines of its own. */
export function printWelcome(file: DemoFile, startedInMs: number, say: (line: string) => void): void {
  const riverside = file.libraries.find(({ id }) => id === 'riverside');
  const midland = file.libraries.find(({ id }) => id === 'midland');
  const [card = '', another = ''] = midland?.sample_cards.eligible ?? [];
  const [item = ''] = riverside?.sample_items ?? [];
  const [expired = ''] = midland?.sample_cards.expired ?? [];
  const [twoHomes = ''] = midland?.sample_cards.two_homes ?? [];
  const row = (name: string, value: string): string => `  ${name.padEnd(22)} ${value}`;
  const addresses = file.libraries.map(({ id, koha_url }) => row(id, `${koha_url}/cgi-bin/koha/`));
  const cards = Object.entries(KINDS).map(([kind, text]) =>
    row(text, midland?.sample_cards[kind as keyof typeof KINDS].at(kind === 'eligible' ? 3 : 0) ?? ''),
  );
  say(`
Three libraries share their patrons here. Everything is made up, and gone
when it stops. Started in ${(startedInMs / 1_000).toFixed(1)} s.

${addresses.join('\n')}
${row('receiver', `${file.receiver}/openapi.json`)}
${row('dashboard', file.dashboard.url)}
${row('  user', file.dashboard.user)}
${row('  password', file.dashboard.password)}

Three things to try:

1. The first scan just works. Open riverside's desk, scan a midland card that
   riverside has never seen, and check out a book:
     ${deskUrl(file)}
     card  ${card}
     book  ${item}

2. The same without a browser, and a card that may not borrow. In another
   terminal, in this folder:
     . .demo/env
     echo ${another} | npx passport send --at riverside --card - --wait
     echo ${expired} | npx passport explain --at riverside --card -

3. A library that is down. Make midland hang for the next look-ups, scan
   again, and watch the dashboard:
     curl -s ${kohaUrl(file.libraries, 'midland')}/_double/faults \\
       -H 'content-type: application/json' \\
       -d '[{"operation": "GET /patrons", "kind": "hang", "times": 3}]'

The plugin's pages, as a systems librarian finds them in Koha: its status (Run
tool) and its configuration:
  ${kohaUrl(file.libraries, 'riverside')}/cgi-bin/koha/plugins/plugins-home.pl

Cards of midland, to scan at riverside:
${cards.join('\n')}

Lakeside has given out the card ${twoHomes}, too. Take its \`cards\` out
of .demo/passport.yaml, reload it (npx passport config reload), scan that card
at riverside, and the desk has to choose.

Addresses, secrets and more cards are in .demo/demo.json, logs in .demo/logs.
Ctrl-C stops everything.
`);
}
