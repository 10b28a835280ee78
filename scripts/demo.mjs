// `npm run demo [-- --check]`: from a bare clone to a running consortium of three libraries.
import { setUp } from './set-up.mjs';

await setUp({ require: ['redis'], build: true });
await import('../apps/demo/dist/main.js');
