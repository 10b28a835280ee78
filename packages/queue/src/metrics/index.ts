export { queueMetrics } from './queue-metrics.ts';
export { type RedisReading, readRedis, redisMetrics } from './redis-metrics.ts';
