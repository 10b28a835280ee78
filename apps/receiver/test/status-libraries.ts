import { randomBytes } from 'node:crypto';
import { parseConsortium } from '@passport/config';

const HOUR_MS = 3_600_000;
const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** Riverside with one window that lasts and one to come, and its neighbours. */
export const STATUS_CONSORTIUM = parseConsortium(
  JSON.stringify({
    consortium: 'Test Libraries',
    agreements: 'all',
    libraries: ['midland', 'riverside', 'lakeside'].map((id) => ({
      id,
      name: `The library ${id}`,
      koha: {
        url: `https://${id}.example.org`,
        client_id: { env: 'CLIENT_ID' },
        client_secret: { env: `CLIENT_SECRET_${id.toUpperCase()}` },
      },
      webhook_secrets: [{ env: `SECRET_${id.toUpperCase()}` }],
      copy: { category: id === 'riverside' ? 'PT' : 'VISITOR' },
      ...(id === 'midland' ? { cards: [String.raw`^21234\d{9}$`] } : {}),
      ...(id === 'riverside'
        ? {
            refresh: { at_scan: true },
            windows: [
              { from: soon(-HOUR_MS), until: soon(HOUR_MS), as: 'home', reason: 'nightly backup' },
              { from: soon(2 * HOUR_MS), until: soon(3 * HOUR_MS), as: 'lending', reason: 'update' },
            ],
          }
        : {}),
    })),
  }),
  {
    CLIENT_ID: 'client-id-of-the-tests',
    // The receiver's own secrets are those of the fixture; a file wants random ones.
    ...Object.fromEntries(
      ['MIDLAND', 'RIVERSIDE', 'LAKESIDE'].flatMap((id) => [
        [`CLIENT_SECRET_${id}`, randomBytes(24).toString('base64url')],
        [`SECRET_${id}`, `whsec_${randomBytes(32).toString('base64')}`],
      ]),
    ),
  },
  () => '',
);
