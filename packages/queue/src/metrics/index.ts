export { queueMetrics } from './queue-metrics.ts';
export { redisMetrics, readRedis } from './redis-metrics.ts';
