import type { PluginAbout } from '@passport/koha-client';

/** The plugin's account in one line: `plugin 1.0.0, Koha 24.11.05, 4 workers`; what it does not tell is left out. */
export function describeAbout({ version, koha_version: koha, plack_workers: workers }: PluginAbout): string {
  return [
    `plugin ${version}`,
    ...(koha === null ? [] : [`Koha ${koha.split('.').slice(0, 3).join('.')}`]),
    ...(workers === null ? [] : [`${workers} ${workers === 1 ? 'worker' : 'workers'}`]),
  ].join(', ');
}
