import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Double } from '../double.ts';
import { answerMessage, type SipAccount } from './sip-handlers.ts';
import { formatMessage, parseMessage } from './sip-message.ts';

/** "Send it again", with and without a checksum: nothing that Koha can read. */
const RESEND = '96';

/** A SIP server that listens. */
export interface SipServer {
  readonly port: number;
  /** Ends it at once, open connections too. */
  close(): Promise<void>;
}

/** What one connection is asked, in its order; Koha has a process for each. */
async function serve(double: Double, known: SipAccount, socket: Socket): Promise<void> {
  let account: SipAccount | null = null;
  let rest = '';
  for await (const piece of socket) {
    rest += String(piece);
    // `read_request` of `C4/SIP/SIPServer.pm`: a message ends with a carriage return, and line feeds count for nothing.
    const lines = rest.split('\r');
    rest = lines.pop() ?? '';
    for (const line of lines.map((text) => text.replaceAll('\n', '')).filter((text) => text !== '')) {
      const message = parseMessage(line);
      // Whatever comes before a login ends the connection (`raw_transport`).
      if (account === null && (message === 'unknown' || !line.startsWith('93'))) return;
      if (typeof message === 'string') {
        socket.write(formatMessage(message === 'wrong' ? `${RESEND}AZFEF6` : RESEND, null));
        continue;
      }
      const { fields, sequence, code } = message;
      if (code === '93') {
        const { user, password } = known;
        const isRight = fields.get('CN') === user && fields.get('CO') === password;
        account = isRight && message.fixed === '00' ? known : account;
        socket.write(formatMessage(`94${isRight ? 1 : 0}`, sequence));
      } else if (account !== null) {
        const answer = await answerMessage(double, account, message);
        if (answer === null) return;
        socket.write(formatMessage(answer, sequence));
      }
    }
  }
}

/** Starts Koha's SIP server (`C4/SIP/SIPServer.pm`, RAW) with one account, on a free port. */
export async function startSipServer(double: Double, account: SipAccount, host: string): Promise<SipServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.setEncoding('utf8');
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    void serve(double, account, socket)
      .catch(() => undefined)
      .finally(() => socket.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
