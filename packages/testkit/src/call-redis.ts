import { Redis } from 'ioredis';

/** How to reach a redis-server on this machine. */
export interface RedisAddress {
  readonly port: number;
  readonly password?: string;
  readonly ca?: Buffer;
}

/**
 * Sends one command on its own connection and returns the reply; an error reply rejects with its text. Waits
 * `timeoutMs` (1 s). For tests and for starting servers, not for speed.
 */
export async function callRedis(
  { port, password, ca }: RedisAddress,
  [name = '', ...args]: readonly string[],
  timeoutMs = 1_000,
): Promise<unknown> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    ...(password !== undefined && { password }),
    ...(ca && { tls: { ca, servername: 'localhost' } }),
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
  });
  // What ended the connection; the command is only told that it is closed.
  let failure: Error | undefined;
  redis.on('error', (error) => (failure = error));
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } catch (error) {
    throw failure ?? error;
  } finally {
    redis.disconnect();
  }
}
