// Gives each process a copy of what it uses, in a volume of its own: who breaks into the receiver or the dashboard finds no
// API key of a Koha there.
import {
  chmodSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

/** By process, the names of the files in the master volume; a pattern stands for the demo's libraries. */
const USED = {
  receiver: [/^passport\.yaml$/, /^passport_key$/, /^redis_url$/, /^\w+_webhook_secret$/],
  worker: [/^passport\.yaml$/, /^passport_key$/, /^redis_url$/, /^\w+_client_(?:id|secret)$/],
  dashboard: [/^passport\.yaml$/, /^redis_url$/, /^dashboard_(?:viewer_)?password$/],
  redis: [/^redis\.conf$/, /^redis_password$/],
  grafana: [/^grafana_password$/],
};

/** Brings the volume of each process under `places` to what `master` has for it; what it uses no longer goes. */
export function shareKeys(master, places) {
  const names = readdirSync(master);
  for (const [process, patterns] of Object.entries(USED)) {
    const place = `${places}/${process}`;
    const used = names.filter((name) => patterns.some((pattern) => pattern.test(name)));
    for (const name of used) copy(`${master}/${name}`, `${place}/${name}`);
    for (const name of readdirSync(place)) if (!used.includes(name)) rmSync(`${place}/${name}`);
  }
}

const isLink = (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

/** What is there may only be read, and may be in use: it is replaced, not written to. A link stays one. */
function copy(from, path) {
  const newPath = `${path}.new`;
  rmSync(newPath, { force: true });
  if (isLink(from)) symlinkSync(readlinkSync(from), newPath);
  else {
    writeFileSync(newPath, readFileSync(from), { mode: 0o400 });
    chmodSync(newPath, 0o400);
  }
  renameSync(newPath, path);
}
