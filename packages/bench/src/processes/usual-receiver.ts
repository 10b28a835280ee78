import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import {
  isSignedWith,
  parseWebhookSecret,
  readDeliveryHeaders,
  secondsOutsideWindow,
} from '@passport/contract';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';

// The usual way to the same promises: verify, then plain commands for rate, idempotency key and backlog, then `queue.add`
// with BullMQ's deduplication; card and item encrypted, hashes keyed.
const [redisPort = '', port = '', secret = ''] = process.argv.slice(2);
const key = randomBytes(32);
const secrets = [parseWebhookSecret(secret)];

const redis = new Redis({ host: '127.0.0.1', port: Number(redisPort) });
const queue = new Queue('usual', { connection: redis });
const app = fastify();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
app.post<{ Params: { library: string }; Body: Buffer }>('/webhooks/:library', async (request, reply) => {
  const { library } = request.params;
  const read = readDeliveryHeaders((name) => [request.headers[name]].flat().map(String));
  const nowSeconds = Math.floor(Date.now() / 1_000);
  if (read.kind === 'malformed') return reply.code(400).send();
  const { headers } = read;
  const body = request.body;
  const isGenuine =
    isSignedWith(secrets, { headers, body }) && secondsOutsideWindow(headers, nowSeconds) === 0;
  if (!isGenuine) return reply.code(401).send();
  const rateKey = `rate:${library}:${nowSeconds}`;
  const [[, used] = []] = (await redis.multi().incr(rateKey).expire(rateKey, 60).exec()) ?? [];
  if (Number(used) > 1_000_000) return reply.code(429).send();
  const event = JSON.parse(body.toString()) as { data: { cardnumber: string; item_barcode: string } };
  const hash = createHmac('sha256', key).update(body).digest('base64');
  const before = await redis.set(`key:${library}:${headers.id}`, hash, 'EX', 288_000, 'NX', 'GET');
  if (before !== null) return reply.code(before === hash ? 202 : 409).send({ duplicate: true });
  const [[, waiting] = []] =
    (await redis
      .multi()
      .zcard(`backlog:${library}`)
      .zadd(`backlog:${library}`, nowSeconds, headers.id)
      .exec()) ?? [];
  const { cardnumber, item_barcode: item } = event.data;
  const scanHash = createHmac('sha256', key).update(`${library}\n${cardnumber}\n${item}`).digest('base64');
  const data = { ...event.data, cardnumber: encrypt(cardnumber), item_barcode: encrypt(item) };
  await queue.add(
    'scan',
    { ...event, data },
    {
      jobId: `${library}.${headers.id}`,
      priority: Number(waiting) + 1,
      deduplication: { id: scanHash, ttl: 10_000 },
    },
  );
  return reply.code(202).send({ event_id: headers.id, status: 'accepted' });
});
app.get('/readyz', () => ({ status: 'ready' }));
await queue.waitUntilReady();
await app.listen({ host: '127.0.0.1', port: Number(port) });

function encrypt(text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64');
}
