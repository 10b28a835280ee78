import { once } from 'node:events';
import { connect } from 'node:net';
import { preciseNow } from './clock.ts';
import { median } from './statistics.ts';

const PINGS = 50;

/** What a round trip to a Redis on this machine takes, in ms: the median of PINGs over one connection, after its first. */
export async function pingMs(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const took: number[] = [];
  for (let count = 0; count <= PINGS; count += 1) {
    const answered = once(socket, 'data');
    const sentAt = preciseNow();
    socket.write('PING\r\n');
    await answered;
    if (count > 0) took.push(preciseNow() - sentAt);
  }
  socket.destroy();
  return median(took);
}
