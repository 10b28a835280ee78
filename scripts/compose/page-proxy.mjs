import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../run-command.mjs';
import { freePorts, scanBody, signedHeaders, until } from './installation.mjs';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Starts nginx with the configuration of docs/reverse-proxy.md and the certificate that docs/install.md makes, and leads curl there.
 * Only addresses of this machine are replaced. Resolves with what ends it.
 */
export async function startProxy(page, certificateFolder) {
  const [port] = await freePorts(1);
  const folder = join(page.root, 'nginx');
  mkdirSync(folder);
  const guide = readFileSync(join(projectRoot, 'docs/reverse-proxy.md'), 'utf8');
  const [, block = ''] = /^```nginx\n(.*?)^```$/ms.exec(guide) ?? [];
  const servers = block
    .replaceAll('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${page.ports.receiver}`)
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${page.ports.dashboard}`)
    .replaceAll(/\/etc\/ssl\/[\w-]+\.(pem|key)/g, join(certificateFolder, 'passport.$1'))
    .replace('192.0.2.0/24', '127.0.0.0/8');
  const temporary = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const config = `${user} daemon off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; ${temporary}
${servers}}
`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  writeFileSync(
    join(page.root, 'curl', '.curlrc'),
    `cacert = "${join(certificateFolder, 'passport.pem')}"\nconnect-to = "::127.0.0.1:${port}"\n`,
  );
  const child = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  let code;
  void ended.then((value) => (code = value ?? 1));
  await until('nginx to listen', async () => {
    if (code !== undefined) throw new Error(`nginx ended with ${code}\n${said}`);
    return page.run('curl', ['-sS', '-o', '-', 'https://passport.example.org/']).then(
      () => true,
      () => false,
    );
  });
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

/** Delivers a scan through the proxy, signed; returns the status of the answer. */
export async function deliverThroughProxy(page, secret, card) {
  const id = `compose_${randomUUID()}`;
  const body = scanBody({ cardnumber: card }, new Date());
  const headers = Object.entries(signedHeaders(secret, id, body)).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const format = ['-sS', '-o', join(page.root, 'answer'), '-w', '%{http_code}'];
  return page.run('curl', [
    ...format,
    ...headers,
    '--data-raw',
    body,
    'https://passport.example.org/webhooks/riverside',
  ]);
}
