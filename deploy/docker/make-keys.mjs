// Runs once at each start, before anything else: makes what is missing of the secrets that only this installation knows,
// and never changes one that is there. Losing PASSPORT_KEY loses the cards of unfinished events.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { shareKeys } from './share-keys.mjs';

const [
  PLACE = '/var/lib/passport',
  ETC = '/etc/passport',
  REDIS_DATA = '/data',
  PLACES = '/var/lib/passport-of',
  GRAFANA_DATA = '/grafana',
] = process.argv.slice(2);

/** Writes a file once; returns what it holds. */
function keep(name, make) {
  const path = `${PLACE}/${name}`;
  if (!existsSync(path)) {
    writeFileSync(path, make(), { mode: 0o400 });
    console.log(`made ${name}`);
  }
  return readFileSync(path, 'utf8');
}

// An empty volume takes over the owner of the next image's folder, which for Redis's is root, and for Grafana's a user of its own.
for (const data of [REDIS_DATA, GRAFANA_DATA]) writeFileSync(`${data}/.owned-by-1000`, '');

const word = () => randomBytes(24).toString('base64url');
const redisPassword = keep('redis_password', word);
keep('redis_url', () => `redis://:${redisPassword}@redis:6379`);
keep('passport_key', () => randomBytes(32).toString('base64'));
keep('dashboard_password', word);
keep('dashboard_viewer_password', word);
keep('grafana_password', word);

// Each acknowledged event is on the disk (AOF, always), and a full Redis refuses instead of forgetting (noeviction). A job is a
// hash with one long value: as a listpack it takes half the memory.
const redisConf = `bind * -::*
port 6379
dir /data
requirepass ${redisPassword}
appendonly yes
appendfsync always
save ""
maxmemory 512mb
maxmemory-policy noeviction
hash-max-listpack-value 4096
`;
const confPath = `${PLACE}/redis.conf`;
if (existsSync(confPath)) chmodSync(confPath, 0o600);
writeFileSync(confPath, redisConf, { mode: 0o400 });
chmodSync(confPath, 0o400);

// Every process reads the operator's own file, through a link in its volume: a copy would be as old as the last `up`, and a mount
// of the file alone would stay with what an editor has replaced. The folder that holds it is mounted (docker-compose.yml).
const usedPath = `${PLACE}/passport.yaml`;
const own = `${ETC}/config/passport.yaml`;
const former = `${ETC}/passport.yaml`;
const used = lstatSync(usedPath, { throwIfNoEntry: false });
/** What is there, the demo's or the last start's, may only be read: it is replaced, not written to. */
function use(make) {
  const newPath = `${usedPath}.new`;
  rmSync(newPath, { force: true });
  make(newPath);
  renameSync(newPath, usedPath);
}
if (existsSync(own)) use((path) => symlinkSync(own, path));
else if (existsSync(former)) {
  use((path) => {
    copyFileSync(former, path);
    chmodSync(path, 0o400);
  });
  console.log(
    'move deploy/etc/passport.yaml to deploy/etc/config/: only there a reload or a restart takes it over',
  );
} else {
  if (used?.isSymbolicLink()) rmSync(usedPath); // to a file that is gone
  if (!existsSync(usedPath))
    console.log(
      'no deploy/etc/config/passport.yaml: copy passport.example.yaml there (--profile demo makes its own)',
    );
}

shareKeys(PLACE, PLACES);
