// Shows, renews, saves and restores the secrets that make-keys.mjs generated, in images without a shell:
// docker compose run --rm -T keys node deploy/docker/keys.mjs COMMAND
// Each process has its copy at once, and takes it over with `config reload`.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { shareKeys } from './share-keys.mjs';

const PLACE = process.env.KEYS_PLACE ?? '/var/lib/passport';
const PLACES = process.env.KEYS_PLACES ?? '/var/lib/passport-of';

const USAGE = `Usage: keys.mjs COMMAND
  show NAME             print one secret
  renew NAME            make a new dashboard_password or dashboard_viewer_password, and print it
  rotate add            PASSPORT_KEY: a new key decrypts, the old one encrypts
  rotate promote        PASSPORT_KEY: the new key encrypts, the old one decrypts
  rotate drop           PASSPORT_KEY: the old key is removed
  export                print all secrets as JSON, for a backup
  import                take over what \`export\` printed, from standard input`;

const NAMES = [
  'passport_key',
  'passport_key_added',
  'redis_password',
  'redis_url',
  'dashboard_password',
  'dashboard_viewer_password',
  'grafana_password',
];
/** Which of two keys is the new one, from `rotate add` to `rotate drop`: their order says only which of them encrypts. */
const ADDED = 'passport_key_added';
/** Others are in use elsewhere: Redis' and Grafana's own data know theirs. */
const RENEWED = ['dashboard_password', 'dashboard_viewer_password'];
const KEYS = /^[\w+/=]+(?:,[\w+/=]+)*$/;

const fail = (message, code = 1) => {
  console.error(message);
  process.exit(code);
};
const has = (name) => existsSync(`${PLACE}/${name}`);
const read = (name) =>
  has(name)
    ? readFileSync(`${PLACE}/${name}`, 'utf8').trim()
    : fail(`there is no ${name} yet: run \`docker compose up\``);

/** What is there may only be read, and a start that is cut short must leave the old one or the new one: it is replaced. */
function write(values) {
  for (const [name, value] of Object.entries(values)) {
    const path = `${PLACE}/${name}`;
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, value, { mode: 0o400 });
    chmodSync(`${path}.new`, 0o400);
    renameSync(`${path}.new`, path);
  }
  shareKeys(PLACE, PLACES);
}

function rotate(step) {
  const keys = read('passport_key').split(',');
  const isTwo = keys.length > 1;
  const isPromoted = isTwo && has(ADDED) && keys[0] === read(ADDED);
  if (step === 'add') {
    if (isTwo) fail('there are two keys already: finish that rotation first (rotate promote, rotate drop)');
    const added = randomBytes(32).toString('base64');
    write({ [ADDED]: added, passport_key: [...keys, added].join(',') });
    return 'passport_key has a second key, which decrypts: run `config reload`, then rotate promote';
  }
  if (step !== 'promote' && step !== 'drop') fail(USAGE, 2);
  if (!isTwo) fail(`there is only one key: run rotate add first`);
  if (step === 'promote') {
    if (!isPromoted) write({ passport_key: keys.toReversed().join(',') });
    return 'the new key encrypts: run `config reload`; keep the old one until failed events are gone (retention.failed), for 80 hours, and until invitations of before have ended (library invitations)';
  }
  if (!isPromoted) fail('the old key still encrypts: run rotate promote first');
  write({ passport_key: keys[0] });
  rmSync(`${PLACE}/${ADDED}`, { force: true });
  return 'the old key is gone: run `config reload`';
}

function parseBackup(input) {
  let values;
  try {
    values = JSON.parse(input);
  } catch {
    fail('what is to be imported is no JSON');
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    fail('what is to be imported is no object of secrets');
  for (const [name, value] of Object.entries(values)) {
    if (!NAMES.includes(name)) fail(`what is to be imported has an unknown name: ${JSON.stringify(name)}`);
    if (typeof value !== 'string' || value === '') fail(`${name}: what is to be imported has no text there`);
  }
  if (!KEYS.test(values.passport_key ?? '')) fail('passport_key: what is to be imported has no key there');
  return values;
}

const [command, name, ...more] = process.argv.slice(2);
if (more.length > 0) fail(USAGE, 2);
if (command === 'show' && NAMES.includes(name)) console.log(read(name));
else if (command === 'renew' && RENEWED.includes(name)) {
  write({ [name]: randomBytes(24).toString('base64url') });
  console.log(read(name));
} else if (command === 'rotate') console.log(rotate(name));
else if (command === 'export' && name === undefined) {
  console.log(
    JSON.stringify(Object.fromEntries(NAMES.filter(has).map((each) => [each, read(each)])), null, 2),
  );
} else if (command === 'import' && name === undefined) {
  const values = parseBackup(await text(process.stdin));
  rmSync(`${PLACE}/${ADDED}`, { force: true });
  write(values);
  console.log(`took over ${Object.keys(values).join(', ')}`);
} else fail(USAGE, 2);
