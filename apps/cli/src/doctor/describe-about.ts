import type { PluginAbout } from '@passport/koha-client';

/** What the plugin reports, in one line: `plugin 1.0.0, Koha 24.11.05, 4 workers`; what is missing is left out. */
export function describeAbout({ version, koha_version: koha, plack_workers: workers }: PluginAbout): string {
  return [
    `plugin ${version}`,
    ...(koha === null ? [] : [`Koha ${koha.split('.').slice(0, 3).join('.')}`]),
    ...(workers === null ? [] : [`${workers} ${workers === 1 ? 'worker' : 'workers'}`]),
  ].join(', ');
}
