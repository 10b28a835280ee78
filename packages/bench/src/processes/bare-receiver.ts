import { Queue } from 'bullmq';
import { fastify } from 'fastify';

// The floor of a receiver: JSON in, `queue.add`, 202. No signature, no idempotency key, nothing that is promised.
const [redisPort = '', port = ''] = process.argv.slice(2);

const queue = new Queue('bare', { connection: { host: '127.0.0.1', port: Number(redisPort) } });
const app = fastify();
app.post('/webhooks/:library', async (request, reply) => {
  const id = String(request.headers['webhook-id']);
  await queue.add('scan', request.body, { jobId: id });
  return reply.code(202).send({ event_id: id, status: 'accepted' });
});
await queue.waitUntilReady();
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.stdout.write('ready\n');
