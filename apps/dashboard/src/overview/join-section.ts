import { type ListedInvitation, listInvitations } from '@passport/queue/joining';
import type { Redis } from '@passport/runtime';
import type { Scope } from '../login/login.ts';
import { type Html, html } from '../shell/html.ts';
import { table, timeElement } from '../shell/parts.ts';

/** The invitations by which a library asks to join; none for who sees some libraries: it is no member. */
export async function readJoinRequests(redis: Redis, scope: Scope): Promise<readonly ListedInvitation[]> {
  if (scope !== 'all') return [];
  return (await listInvitations(redis)).filter(({ request }) => request !== null);
}

/** Who asks to join, and how an operator goes on; nothing where nobody does. */
export function joinSection(requests: readonly ListedInvitation[], nowMs: number): Html | null {
  if (requests.length === 0) return null;
  const rows = requests.map(({ library, name, request }) => [
    html`${name} <span class="quiet">${library}</span>`,
    timeElement(request?.receivedMs ?? null, nowMs),
    request?.fingerprint ?? '–',
    html`<code>passport library accept ${library} --fingerprint "…"</code>`,
  ]);
  return html`<section aria-labelledby="join-title">
    <h2 id="join-title">Libraries that ask to join</h2>
    ${table({ label: 'Table: Libraries that ask to join', heads: ['Library', 'Asked', 'Fingerprint', 'Accept'], rows })}
    <p class="quiet">
      Telephone the library first: it reads its fingerprint to you, and you type what you hear. Where it is
      another one, or the library has not asked, somebody else has its link: passport library decline.
    </p>
  </section>`;
}
