// `npm run bench [-- S1 S4]`: the measures, as one report on standard output.
import { setUp } from './set-up.mjs';

await setUp({ require: ['redis'], build: true });
await import('../packages/bench/dist/main.js');
