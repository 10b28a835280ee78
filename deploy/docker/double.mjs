// One stand-in for a Koha of the demo: node deploy/docker/double.mjs LIBRARY
import { readFileSync } from 'node:fs';
import { startKohaDouble } from '@passport/koha-double';

const DESK_SCRIPT = '../../apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk/main.js';

const library = process.argv[2];
const read = (name) => readFileSync(`/var/lib/passport/${library}_${name}`, 'utf8');
const port = { midland: 8091, riverside: 8092, lakeside: 8093 }[library];

const double = await startKohaDouble({
  library,
  port,
  host: '0.0.0.0',
  seed: library,
  pluginScriptPath: new URL(DESK_SCRIPT, import.meta.url).pathname,
  credentials: { clientId: read('client_id'), clientSecret: read('client_secret') },
  webhook: { receiverUrl: 'http://receiver:8080', secret: read('webhook_secret') },
});
console.log(JSON.stringify({ library, port }));
process.once('SIGTERM', () => void double.close());
