import { createServer } from 'node:http';
import 'bullmq';
import 'fastify';

// What any process pays that imports fastify and bullmq: ready as soon as it answers.
createServer((_request, response) => response.end('ready')).listen(Number(process.argv[2]), '127.0.0.1');
