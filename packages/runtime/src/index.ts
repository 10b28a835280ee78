export { startAdminServer } from './admin-server.ts';
export { auditedLog } from './audited-log.ts';
export { csvRow } from './csv-row.ts';
export { DeadlineError, within } from './deadline.ts';
export { watchEventLoop } from './event-loop-watch.ts';
export { Lifecycle } from './lifecycle.ts';
export { openLogOutput } from './log-output.ts';
export { createLogger, type Logger } from './logger.ts';
export { networkOf } from './network-of.ts';
export { buildSample } from './sampled-log.ts';
export { SECURITY_HEADERS } from './security-headers.ts';
export { createMetrics } from './metrics.ts';
export {
  FEW_SECONDS_BUCKETS,
  SECONDS_BUCKETS,
  ZERO_AT_FIRST,
  areInDetail,
  createCounter,
  createGauge,
  createHistogram,
  type Samples,
} from './series.ts';
export type { MetricsRegistry } from './metrics-registry.ts';
export {
  CONNECTION_LIMITS,
  connectionMetrics,
  connectionTimes,
  createConnectionLimits,
  type ConnectionLimits,
} from './connection-limits.ts';
export { buildProxyTest, mayShareAddress, trustProxy } from './trust-proxy.ts';
export { createServiceManager } from './service-manager.ts';
export { sharedRead } from './shared-read.ts';
export { answersNow, createRedis, closeRedis, untilRedisReady, type Redis, type RedisRole } from './redis.ts';
export { countRedisBreaks } from './redis-breaks.ts';
export { createRedisClock, readRedisTime, type RedisClock } from './redis-clock.ts';
export { RedisUnavailable, translateRedisError } from './redis-error.ts';
export { DecryptionError, createEncryption, type Encryption } from './encryption.ts';
export type { SpanStart, Tracing } from './span.ts';
export { NO_TRACING, startTracing } from './tracing.ts';
export {
  LOCAL_ZONE,
  durationText,
  localParts,
  localTime,
  relativeTime,
  timeText,
  withLocalTime,
} from './shown-time.ts';
export { versionOf } from './version-of.ts';
