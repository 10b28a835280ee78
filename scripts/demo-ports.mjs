import { createServer } from 'node:net';

/** Where the parts of the demo are reached on 127.0.0.1, unless somebody chooses others. */
export const USUAL_PORTS = Object.freeze({
  receiver: 8080,
  dashboard: 8081,
  midland: 8091,
  riverside: 8092,
  lakeside: 8093,
});

/**
 * The ports of a demo: those that `chosen` names (`['midland=9091']`), and the usual ones for the others. A usual one that is
 * taken is replaced by a free one, which `say` reports. Throws an Error whose message names what cannot be: an unknown name, no
 * port, a chosen port that is taken or chosen twice.
 */
export async function choosePorts(chosen, say, usualPorts = USUAL_PORTS) {
  const own = readChosen(chosen);
  for (const [name, port] of Object.entries(own)) {
    if (!(await isFree(port)))
      throw new Error(`--port ${name}=${port}: something on this machine already uses it`);
  }
  const ports = { ...own };
  for (const [name, usual] of Object.entries(usualPorts)) {
    if (name in own) continue;
    const isOurs = !Object.values(ports).includes(usual) && (await isFree(usual));
    ports[name] = isOurs ? usual : await anyFreePort(ports);
    if (!isOurs)
      say(`127.0.0.1:${usual} is taken (another demo?): ${name} is at 127.0.0.1:${ports[name]} instead.`);
  }
  return ports;
}

function readChosen(chosen) {
  const own = {};
  for (const given of chosen) {
    const [, name = '', digits = ''] = /^([a-z]+)=(\d{1,5})$/.exec(given) ?? [];
    if (!Object.hasOwn(USUAL_PORTS, name)) {
      throw new Error(`--port ${given}: give NAME=PORT, with one of ${Object.keys(USUAL_PORTS).join(', ')}`);
    }
    const port = Number(digits);
    if (port < 1 || port > 65_535) throw new Error(`--port ${given}: a port is a number from 1 to 65535`);
    if (Object.values(own).includes(port)) throw new Error(`--port ${given}: two parts cannot have one port`);
    own[name] = port;
  }
  return own;
}

const isFree = async (port) => (await listen(port)) !== null;

async function anyFreePort(taken) {
  for (;;) {
    const port = await listen(0);
    if (port === null) throw new Error('127.0.0.1 has no free port');
    if (!Object.values(taken).includes(port)) return port;
  }
}

/** Listens for a moment (0: on any free port); null where somebody else does. */
function listen(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address();
      server.close(() => resolve(found));
    });
  });
}
