import type { ListedInvitation } from '@passport/queue/joining';
import { localTime } from '@passport/runtime';
import { openAudit } from '../../../program/open-audit.ts';
import { defineCommand, Failure } from '../../../program/index.ts';
import { findInvitation, withInvitations } from './with-invitations.ts';

/** An invitation as `--json` has it. */
export const invitationJson = ({ library, name, madeMs, endsMs, request }: ListedInvitation) => ({
  library,
  name,
  made: new Date(madeMs).toISOString(),
  ends: new Date(endsMs).toISOString(),
  request: request && {
    fingerprint: request.fingerprint,
    received: new Date(request.receivedMs).toISOString(),
  },
});

export const libraryInvitations = defineCommand({
  summary: 'list the open invitations to join',
  description:
    'Lists the invitations that are open: made, not used, not withdrawn and not ended. Their links are shown once, by `library invite`, and are kept nowhere.',
  examples: ['passport library invitations', "passport library invitations --json | jq '.invitations'"],
  run: (_options, _args, report, deps) =>
    withInvitations(deps, async ({ invitations }): Promise<0> => {
      const listed = await invitations.list();
      report.json({ invitations: listed.map(invitationJson) });
      if (listed.length === 0) report.line('no open invitations');
      const rows = listed.map(({ library, name, endsMs, request }) => [
        library,
        localTime(endsMs),
        request === null ? 'not used' : 'asks to join',
        name,
      ]);
      if (rows.length > 0) report.table(['library', 'until', 'state', 'name'], rows);
      return 0;
    }),
});

export const libraryWithdraw = defineCommand({
  summary: 'withdraw an invitation to join',
  description:
    'Ends the open invitation of a library, with its key. Nothing can be asked by its link from then on.',
  examples: ['passport library withdraw midland'],
  argument: ['<library>', 'the id that it would have'],
  run: (_options, [id = ''], report, deps) =>
    withInvitations(deps, async ({ invitations }): Promise<0> => {
      const listed = await findInvitation(invitations, id);
      if (listed.request !== null)
        throw new Failure(`${id} asks to join: accept or decline it (passport library requests)`, {
          code: 'request',
        });
      await invitations.end(listed);
      openAudit(deps, 'join_withdraw', 'invitation withdrawn by an operator')({ library: id });
      report.json({ library: id, withdrawn: true });
      report.line(`${id}: the invitation is withdrawn`);
      return 0;
    }),
});

export const libraryDecline = defineCommand({
  summary: 'decline the request of a library to join',
  description:
    'Ends the invitation of a library with the request that waits. Do this where the fingerprint that the library reads to you is not the one of the request: somebody ' +
    'else has the link. Invite it anew then, by another way.',
  examples: ['passport library decline midland'],
  argument: ['<library>', 'the id that it would have'],
  run: (_options, [id = ''], report, deps) =>
    withInvitations(deps, async ({ invitations }): Promise<0> => {
      const listed = await findInvitation(invitations, id);
      if (listed.request === null)
        throw new Failure(`no request waits at the invitation of ${id} (passport library withdraw ${id})`, {
          code: 'no_request',
        });
      await invitations.end(listed);
      openAudit(deps, 'join_decline', 'request to join declined by an operator')({ library: id });
      report.json({ library: id, declined: true });
      report.line(`${id}: declined; its link is of no use any more`);
      return 0;
    }),
});
