import { generateKeyPairSync } from 'node:crypto';
import { type Consortium, faultOfNewLibrary, publicAddress } from '@passport/config';
import { formatJoinLink } from '@passport/contract';
import { timeText } from '@passport/runtime';
import { openAudit } from '../../../program/open-audit.ts';
import {
  defineCommand,
  Failure,
  numberUpTo,
  optional,
  parsedOr,
  required,
  WrongUse,
} from '../../../program/index.ts';
import { withInvitations } from './with-invitations.ts';

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 30;

function receiverOf(consortium: Consortium, given: string | undefined): string {
  if (given === undefined) {
    const { receiver } = consortium.public;
    if (receiver !== null) return receiver;
    throw new WrongUse(
      'where Kohas reach the receiver is not known: set public.receiver in the configuration, or pass --receiver',
    );
  }
  const read = publicAddress.safeParse(given);
  if (read.success) return read.data;
  throw new WrongUse(`--receiver ${read.error.issues[0]?.message ?? 'is no address'}`);
}

const FAULTS = {
  exists: (id: string) => `${id} has an open invitation: withdraw it first (passport library withdraw ${id})`,
  full: () => 'there are 100 open invitations: withdraw those that nobody uses',
};

export const libraryInvite = defineCommand({
  summary: 'make an invitation with which a library can ask to join',
  description:
    'Prints a link that works once, for one library and a few days. Send it to the person who looks after that Koha: they copy it into the ' +
    'configuration page of the plugin, which sets their Koha up, seals its credentials so that only this service can read them, and sends the request. ' +
    'Nothing of it enters the configuration before `library accept`. Whoever gets hold of the link can ask in place of the library, and nothing more: that is what ' +
    'the fingerprint is compared for. The id is permanent: it is the value of the passport in every copy.',
  examples: [
    'passport library invite midland --name "Midland Public Library"',
    'passport library invite midland --name "Midland Public Library" --days 14 --receiver https://passport.example.org',
  ],
  argument: ['<library>', 'the id that it will have'],
  options: {
    name: required('<text>', 'its name, as staff see it'),
    days: parsedOr('<n>', `how long it is good for, up to ${LONGEST_DAYS}`, numberUpTo(LONGEST_DAYS), [7]),
    receiver: optional('<url>', 'where its Koha reaches the receiver; default: public.receiver'),
  },
  run: ({ name, days, receiver: given }, [id = ''], report, deps) =>
    withInvitations(deps, async ({ consortium, invitations, now }): Promise<0> => {
      const receiver = receiverOf(consortium, given);
      const fault = faultOfNewLibrary(id, name);
      if (fault !== null) throw new WrongUse(fault);
      if (consortium.libraries.some((library) => library.id === id))
        throw new WrongUse(`${id} is in the configuration already`);
      const nowMs = await now();
      const endsMs = nowMs + days * DAY_MS;
      const { publicKey, privateKey } = generateKeyPairSync('rsa', {
        modulusLength: 3072,
        publicKeyEncoding: { type: 'spki', format: 'der' },
        privateKeyEncoding: { type: 'pkcs8', format: 'der' },
      });
      const invitation = `inv_${deps.randomBytes(16).toString('base64url')}`;
      const token = deps.randomBytes(32).toString('base64url');
      const added = await invitations.add({
        invitation,
        library: id,
        name,
        token,
        privateKey: privateKey.toString('base64url'),
        madeMs: nowMs,
        endsMs,
      });
      if (added !== 'added') throw new Failure(FAULTS[added](id), { code: added });
      const link = formatJoinLink({
        v: 1,
        receiver,
        invitation,
        library: id,
        name,
        consortium: consortium.name,
        ends: Math.floor(endsMs / 1000),
        token,
        key: publicKey.toString('base64url'),
      });
      const ends = new Date(endsMs).toISOString();
      openAudit(deps, 'join_invite', 'invitation of a library by an operator')({ library: id, until: ends });
      report.json({ library: id, name, invitation, ends, link });
      report.line(link);
      report.progress(`${id}: invited until ${timeText(endsMs, nowMs)}, for one request`);
      report.progress(
        'send the link to the library by a way that you trust; then: passport library requests',
      );
      return 0;
    }),
});
