// `--import` of Jest and its workers: Node 20 loads TypeScript with it, and `@jest/globals`.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
