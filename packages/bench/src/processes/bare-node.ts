import { createServer } from 'node:http';

// What any process pays that imports fastify and bullmq: ready as soon as it answers.
await Promise.all([import('bullmq'), import('fastify')]);
createServer((_request, response) => response.end('ready')).listen(Number(process.argv[2]), '127.0.0.1');
