import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface TestCertificate {
  /** Its own authority: what a client must trust (`NODE_EXTRA_CA_CERTS`). */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a certificate for localhost and 127.0.0.1, signed by itself and valid for a day, in `dir` (needs openssl). */
export async function makeTestCertificate(dir: string): Promise<TestCertificate> {
  const certFile = join(dir, 'test-cert.pem');
  const keyFile = join(dir, 'test-key.pem');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, '-keyout', keyFile, '-out', certFile, '-days', '1', ...names];
  await promisify(execFile)('openssl', args);
  return { certFile, keyFile };
}
