export { noteItem, buildItemSweep, cleanByAge } from './retention.ts';
export { buildKeptSweep } from './kept-events.ts';
export { readKept } from './kept-reading.ts';
export { takeTurn } from './take-turn.ts';
export { rewriteLogWhenDue } from './rewrite-log.ts';
