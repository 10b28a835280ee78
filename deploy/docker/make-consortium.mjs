// The demo's consortium, made once: a configuration of three stand-ins for Koha with secrets of their own. What an
// operator put in deploy/etc/config/passport.yaml is not touched.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { shareKeys } from './share-keys.mjs';

const [PLACE = '/var/lib/passport', PLACES = '/var/lib/passport-of'] = process.argv.slice(2);
const LIBRARIES = [
  { id: 'midland', name: 'Midland Public Library', port: 8091, cards: ['^21234\\d{9}$'] },
  { id: 'riverside', name: 'Riverside County Library', port: 8092, cards: ['^25678\\d{9}$'] },
  {
    id: 'lakeside',
    name: 'Lakeside College',
    port: 8093,
    cards: ['^L-\\d{4,5}$', '^LK\\d{7}$', '^lake\\.\\d{4,5}$', '^7\\d{6}$'],
  },
];

if (existsSync(`${PLACE}/passport.yaml`)) process.exit(0); // shared already, by `keys`

const secret = (name, value) => {
  rmSync(`${PLACE}/${name}`, { force: true }); // of a start that was cut short; it may only be read
  writeFileSync(`${PLACE}/${name}`, value, { mode: 0o400 });
  return { file: `${PLACE}/${name}` };
};
const libraries = LIBRARIES.map(({ id, name, port, cards }) => ({
  id,
  name,
  koha: {
    url: `http://${id}:${port}`,
    allow_http: true,
    client_id: secret(`${id}_client_id`, randomUUID()),
    client_secret: secret(`${id}_client_secret`, randomBytes(24).toString('base64url')),
  },
  webhook_secrets: [secret(`${id}_webhook_secret`, `whsec_${randomBytes(32).toString('base64')}`)],
  cards,
}));
// JSON is YAML.
const consortium = {
  consortium: 'Prairie Libraries',
  agreements: 'all',
  defaults: { copy: { category: 'PT' } },
  libraries,
};
writeFileSync(`${PLACE}/passport.yaml`, JSON.stringify(consortium, null, 2), { mode: 0o400 });
shareKeys(PLACE, PLACES);
console.log('made the demo consortium');
