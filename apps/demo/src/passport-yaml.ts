import type { DemoLibrary } from './demo-libraries.ts';

/** The name of the environment variable that holds one of a library's secrets. */
export function secretVariable(
  library: string,
  what: 'CLIENT_ID' | 'CLIENT_SECRET' | 'WEBHOOK_SECRET',
): string {
  return `${library.toUpperCase()}_${what}`;
}

/** The demo's configuration file: short, to be read by people; everything not said is the product's default. */
export function buildPassportYaml(
  libraries: readonly (DemoLibrary & { readonly url: string })[],
  { receiver, dashboard }: { readonly receiver: string; readonly dashboard: string },
): string {
  return `# Made by \`npm run demo\` at each start: changes here are lost.
consortium: Prairie Libraries
public: { receiver: '${receiver}', dashboard: '${dashboard}' }
agreements: all

defaults:
  copy: { category: PT }
  eligibility: { max_debt: 25 }
  limits: { copies_per_hour: 20000, misses_per_hour: 20000, verdicts_per_hour: 20000, refreshes_per_hour: 20000 } # a demo is there to be tried

libraries:
${libraries.map(buildEntry).join('\n')}`;
}

function buildEntry(library: DemoLibrary & { readonly url: string }): string {
  const { id, name, url, cards } = library;
  return `  - id: ${id}
    name: ${name}
    koha:
      url: ${url}
      staff_url: ${url}
      client_id: { env: ${secretVariable(id, 'CLIENT_ID')} }
      client_secret: { env: ${secretVariable(id, 'CLIENT_SECRET')} }
    webhook_secrets: [{ env: ${secretVariable(id, 'WEBHOOK_SECRET')} }]
    share: { categories: { except: [STAFF] } }
    refresh: { sweep: '02:00' }
    owed: { read: '03:30' }
    loans: { count: '04:00' }
    cards: [${cards.map((pattern) => `'${pattern}'`).join(', ')}]
`;
}
