#!/usr/bin/env node
import { readFileSync } from 'node:fs';

// A terminal keeps what `. .demo/env` gave it, but each start of the demo has a Redis and secrets of its own.
const { PASSPORT_CONFIG: config = '', REDIS_URL: redis = '' } = process.env;
if (config.endsWith('/.demo/passport.yaml') && !readEnv(config).includes(redis)) {
  process.stderr.write(
    'passport: this terminal is set up for a demo that has ended. Where another one runs: . .demo/env\n',
  );
  process.exit(1);
}
await import('../dist/main.js');

function readEnv(path) {
  try {
    return readFileSync(path.replace(/passport\.yaml$/, 'env'), 'utf8');
  } catch {
    return '';
  }
}
