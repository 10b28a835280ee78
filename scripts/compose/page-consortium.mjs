import { check } from './scans.mjs';

const CARDS = { midland: '^21234\\d{9}$', riverside: '^25678\\d{9}$' };
/** The file of a consortium of two, with the parts that a section of the page changes. */
export function buildConsortium({ name = 'Midland Public Library', secrets = ['riverside'] } = {}) {
  const file = (path) => ({ file: `/etc/passport/secrets/${path}` });
  const library = (id, itsName, itsSecrets) => ({
    id,
    name: itsName,
    koha: {
      url: `http://${id}:${id === 'midland' ? 8091 : 8092}`,
      allow_http: true,
      client_id: file(`koha/${id}_client_id`),
      client_secret: file(`koha/${id}_client_secret`),
    },
    webhook_secrets: itsSecrets.map((each) => file(`webhook/${each}`)),
    cards: [CARDS[id]],
  });
  // JSON is YAML.
  return JSON.stringify({
    consortium: 'Prairie Libraries',
    agreements: 'all',
    defaults: { copy: { category: 'PT' }, limits: { copies_per_hour: 100_000 } },
    libraries: [
      library('midland', name, ['midland']),
      library('riverside', 'Riverside County Library', secrets),
    ],
  });
}

/** Changes the settings of a stand-in, as somebody does in the plugin's configuration page. */
export async function setPluginSecret(page, id, secret) {
  const url = id === 'midland' ? page.midlandUrl : page.riversideUrl;
  const webhook = {
    receiver_url: 'http://receiver:8080',
    library: id,
    secret: secret.trim(),
    patterns: [id === 'midland' ? CARDS.riverside : CARDS.midland],
    staff_wait_ms: 1500,
    self_check_wait_ms: 3000,
  };
  const options = { method: 'PUT', headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}/_double/settings`, { ...options, body: JSON.stringify({ webhook }) });
  check(answer.ok, `the stand-in refused its settings: ${await answer.text()}`);
}

/** Riverside makes a second key, the page puts it into place, and Riverside revokes the first. */
export async function rotateKohaKey(page, changeKey) {
  const [first, second] = [
    page.keys.riverside,
    { client_id: 'second-key', client_secret: 'of-riversides-service-user' },
  ];
  const row = ({ client_id, client_secret: secret }, active = true) => ({ client_id, secret, active });
  const put = (api_keys) =>
    fetch(`${page.riversideUrl}/_double/patrons/PASSPORT-SERVICE`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_keys }),
    });
  check((await put([row(first), row(second)])).ok, 'the stand-in refused a second key');
  for (const [name, value] of Object.entries(second)) page.edit(`riverside_${name}`, `${value}\n`);
  await changeKey();
  await put([row(first, false), row(second)]);
  await fetch(`${page.riversideUrl}/_double/tokens`, { method: 'DELETE' });
}
