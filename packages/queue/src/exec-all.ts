import type { Redis } from '@passport/runtime';

/** Sends a pipeline or a transaction, and returns its replies. Throws the first error, which ioredis returns among them. */
export async function execAll(commands: Pick<ReturnType<Redis['pipeline']>, 'exec'>): Promise<unknown[]> {
  const replies = (await commands.exec()) ?? [];
  for (const [error] of replies) if (error !== null) throw error;
  return replies.map(([, reply]) => reply);
}
