import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HostileAnswer, Hostility, Written } from './hostile-answer.ts';
import { HOSTILE_HOME } from './hostile-home.ts';
import { HOSTILE_LENDER } from './hostile-lender.ts';
import { HOSTILE_RECORDS } from './hostile-records.ts';
import { HOSTILE_SET_UP } from './hostile-set-up.ts';

/** `http://127.0.0.1:{port}/{port of an honest Koha}/{name}/api/v1/...`: that Koha, as this one would answer. */
const ADDRESS = /^\/(\d+)\/([^/]+)(\/api\/v1([^?]*).*)$/;
const hostilities: Readonly<Record<string, Hostility>> = {
  ...HOSTILE_HOME,
  ...HOSTILE_LENDER,
  ...HOSTILE_SET_UP,
  ...HOSTILE_RECORDS,
};
/** Every library has its own, and all stand for the one user of the honest Koha. */
const credentials = Buffer.from(
  new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: process.env['CLIENT_ID'] ?? '',
    client_secret: process.env['CLIENT_SECRET'] ?? '',
  }).toString(),
);
const LEFT_OUT = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'host']);
const kept = (headers: Iterable<[string, string]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => !LEFT_OUT.has(name)));

/** How often each was hostile: `GET /answered`. */
const answered: Record<string, number> = {};
/** What was written at each: `GET /written`. */
const written: Written[] = [];

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '' } = request;
  if (url === '/answered') return void response.end(JSON.stringify(answered));
  if (url === '/written') return void response.end(JSON.stringify(written));
  const [, port, name = '', target = '', path = ''] = ADDRESS.exec(url) ?? [];
  const sent = Buffer.concat(await request.toArray());
  const body = path === '/oauth/token' ? credentials : sent;
  const honest = await fetch(`http://127.0.0.1:${port}${target}`, {
    method,
    headers: kept(Object.entries(request.headers).map(([key, value]) => [key, String(value)])),
    ...(body.length === 0 ? {} : { body }),
    redirect: 'manual',
  });
  const text = await honest.text();
  const way = decodeURIComponent(name);
  if (method !== 'GET' && path !== '/oauth/token') {
    written.push({ name: way, method, path, body: sent.toString(), status: honest.status, answer: text });
  }
  const { searchParams: query } = new URL(target, 'http://127.0.0.1');
  const hostile = hostilities[way]?.({ method, path, query, status: honest.status, text });
  if (hostile !== undefined) {
    answered[way] = (answered[way] ?? 0) + 1;
    return send(response, hostile);
  }
  response.writeHead(honest.status, kept(honest.headers));
  response.end(text);
}

async function send(response: ServerResponse, { status = 200, headers, body }: HostileAnswer): Promise<void> {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  if (typeof body === 'string' || Buffer.isBuffer(body)) response.end(body);
  else await pipeline(Readable.from(body), response);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  // Whoever hung up has had enough of it.
  handle(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
