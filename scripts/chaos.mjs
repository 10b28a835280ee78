// `npm run chaos -- --minutes N --seed S`: breaks things at random and reports the outcome of every event.
import { setUp } from './set-up.mjs';

await setUp({ require: ['redis', 'openssl'], build: true });
await import('../packages/system-tests/dist/fault/chaos.js');
