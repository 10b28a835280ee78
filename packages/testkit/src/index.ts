export { callRedis } from './call-redis.ts';
export {
  buildConsortiumFile,
  consortiumSecrets,
  type ConsortiumKeys,
  type ServedLibrary,
} from './consortium-file.ts';
export { buildJoinRequest, invitationIn, JOIN_SECRETS, sealJoinSecrets } from './join-request.ts';
export { freePort } from './free-port.ts';
export { leakGuard, type Closable } from './leak-guard.ts';
export { markdownTables } from './markdown-tables.ts';
export { sendRaw, openRaw, rawRequest } from './raw-http.ts';
export { createReceiverClient, type ReceiverClient, type ScanAnswer } from './receiver-client.ts';
export { findRedisServer } from './find-program.ts';
export { buildJob } from './scan-job.ts';
export { buildScanEvent, signedRequest, type SignedRequest } from './receiver-client.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { shippedCommand } from './start-services.ts';
export { startFaultProxy, type FaultProxy } from './start-fault-proxy.ts';
export { startProcess, type StartedProcess } from './start-process.ts';
export { startRedis, type RedisOptions, type StartedRedis } from './start-redis.ts';
export { startRedisCluster } from './start-redis-group.ts';
export type { RunningService } from './start-services.ts';
export { REMEMBERED_SOON, startServices, type Services } from './start-services.ts';
export { startSentinel } from './start-redis-group.ts';
export { makeTestCertificate } from './test-certificate.ts';
export { waitFor } from './wait-for.ts';
export { findChromium, startChromium } from './chromium.ts';
export { findProgram } from './find-program.ts';
