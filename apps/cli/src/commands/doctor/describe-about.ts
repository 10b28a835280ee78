import type { PluginAbout } from '@passport/koha-client';
import type { PluginReports } from './check-settings.ts';

/** What the plugin reports, in one line: `plugin 1.0.0, Koha 24.11.05, 4 workers`; what is missing is left out. */
export function describeAbout({ version, koha_version: koha, plack_workers: workers }: PluginAbout): string {
  return [
    `plugin ${version}`,
    ...(koha === null ? [] : [`Koha ${koha.split('.').slice(0, 3).join('.')}`]),
    ...(workers === null ? [] : [`${workers} ${workers === 1 ? 'worker' : 'workers'}`]),
  ].join(', ');
}

const SOURCES = {
  staff: 'staff desk',
  self_check: 'self-check',
  sip: 'SIP',
  copies: 'scans of copies',
} as const;

/** How the plugin reports, in two lines: where to, as whom and with which secret; and what. */
export function describeReports({
  library,
  receiver_url: url,
  secret,
  serves,
  delivery,
}: PluginReports): string[] {
  const sources = Object.entries(SOURCES).flatMap(([source, text]) =>
    serves[source as keyof typeof SOURCES] ? [text] : [],
  );
  const where = [
    `reports to ${url ?? 'nowhere'}`,
    `as ${library ?? 'nobody'}`,
    ...(secret !== null && secret.of > 1 ? [`with secret ${secret.place} of ${secret.of}`] : []),
  ].join(' ');
  const answered = delivery.kind === 'accepted' ? [`test event taken in ${delivery.ms ?? 0} ms`] : [];
  return [where, [`reports: ${sources.join(', ') || 'nothing'}`, ...answered].join('; ')];
}
