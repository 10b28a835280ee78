// `node scripts/pin-images.mjs`: reads from the registry, through this machine's container engine, the digests of the base
// images, and prints the lines for .env that pin them.
import { runCommand, say } from './run-command.mjs';

const IMAGES = {
  NODE_IMAGE: 'node:24-slim',
  REDIS_IMAGE: 'redis:8-alpine',
  PROMETHEUS_IMAGE: 'prom/prometheus:v3.13.3',
  GRAFANA_IMAGE: 'grafana/grafana:12.4.4',
};
const DIGEST = /@(sha256:[0-9a-f]{64})$/m;

for (const [name, image] of Object.entries(IMAGES)) {
  const pulled = await runCommand('docker', ['pull', image]);
  const seen = await runCommand('docker', [
    'image',
    'inspect',
    '--format',
    '{{range .RepoDigests}}{{println .}}{{end}}',
    image,
  ]);
  const digest = pulled.code === 0 && seen.code === 0 ? DIGEST.exec(seen.output.trim())?.[1] : undefined;
  if (digest === undefined) {
    say(`The registry gave no digest for ${image}:\n${(pulled.output || seen.output).trim()}`);
    process.exitCode = 1;
  } else console.log(`${name}=${image}@${digest}`);
}
