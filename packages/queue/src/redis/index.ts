export { inBatches } from './batches.ts';
export { NOW_LUA, type Script, defineScript, execAll } from './commands.ts';
export { readJson, parseStored, parseFields } from './parse-stored.ts';
export { type ReplicaCheck, buildReplicaCheck } from './replica-check.ts';
