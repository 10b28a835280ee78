import { type JoinConfig, joinConfig } from '@passport/config';
import { type Invitations, type ListedInvitation, openInvitations } from '@passport/queue/joining';
import { createEncryption, DecryptionError } from '@passport/runtime';
import { type OpenQueue, withQueueOf } from '../../../connect/with-queue.ts';
import { type CliDeps, Failure } from '../../../program/index.ts';

/** What a command on invitations works with. */
export interface OpenJoining extends OpenQueue {
  readonly config: JoinConfig;
  readonly invitations: Invitations;
}

/** Opens the queue and the invitations in it. Throws Failure, ConfigError. */
export async function withInvitations<T>(deps: CliDeps, work: (open: OpenJoining) => Promise<T>): Promise<T> {
  const config = joinConfig(deps.env, deps.readFile);
  const encryption = createEncryption(config.keys.map((key) => key.reveal()));
  return withQueueOf(config, async (open) => {
    try {
      return await work({ ...open, config, invitations: openInvitations(open.redis, encryption) });
    } catch (error) {
      if (error instanceof DecryptionError)
        throw new Failure(`the invitation cannot be opened: ${error.message}`, { code: 'key' });
      throw error;
    }
  });
}

/** The open invitation of a library. Throws Failure. */
export async function findInvitation(invitations: Invitations, library: string): Promise<ListedInvitation> {
  const found = (await invitations.list()).find((each) => each.library === library);
  if (found !== undefined) return found;
  throw new Failure(`${library} has no open invitation (passport library invitations)`, {
    code: 'no_invitation',
  });
}
