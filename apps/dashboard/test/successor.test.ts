import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createLogin } from '../src/login/login.ts';
import { type DashboardFixture, OPERATOR, basic, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterAll(() => fixture.close());

const NEW_LOGIN = { ...OPERATOR, password: 'the-one-after-the-reload' };

test('once the configuration was replaced, the newer dashboard answers on the same address: pages, logins and all', async () => {
  let successor: FastifyInstance | null = null;
  const first = fixture.build({ basePath: '/passport', successor: () => successor });
  await first.listen({ host: '127.0.0.1', port: 0 });
  const { port } = first.server.address() as AddressInfo;
  const get = async (path: string, login: { user: string; password: string }) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: basic(login) },
    });
    return { status: response.status, text: await response.text() };
  };
  expect(await get('/', OPERATOR)).toMatchObject({
    status: 200,
    text: expect.stringContaining('Test Libraries'),
  });

  successor = fixture.build({
    basePath: '/passport',
    consortium: 'Renamed Libraries',
    login: createLogin([NEW_LOGIN], fixture.now),
  });
  await successor.ready();

  expect(await get('/', NEW_LOGIN)).toMatchObject({
    status: 200,
    text: expect.stringContaining('Renamed Libraries'),
  });
  expect((await get('/passport/', OPERATOR)).status).toBe(401);
  expect((await get('/passport/assets/dashboard.css', NEW_LOGIN)).status).toBe(200);
  expect((await get('/passport/nowhere', NEW_LOGIN)).status).toBe(404);
  await first.close();
});
