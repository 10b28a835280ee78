import { expect, test } from '@jest/globals';
import { installedCommand, startCommand } from '@passport/contract';

test('a process is started by the command of the installation, or by either where nobody says which', () => {
  expect(startCommand('worker', 'compose')).toBe('docker compose up -d worker');
  expect(startCommand('receiver', 'debian')).toBe('sudo systemctl start patron-passport-receiver');
  expect(startCommand('worker', undefined)).toBe(
    "docker compose up -d worker (compose), or sudo systemctl start --all 'patron-passport-worker@*' (Debian)",
  );
});

test('a documented command is written as it is typed there', () => {
  expect(installedCommand('passport doctor midland', 'compose')).toBe(
    'docker compose run --rm cli doctor midland',
  );
  expect(installedCommand('docker compose ps', 'debian')).toBe("systemctl status 'patron-passport-*'");
  expect(installedCommand('docker compose logs --tail 50 redis', 'debian')).toBe(
    'sudo journalctl -n 50 -u patron-passport-redis',
  );
  for (const other of ['passport.yaml', 'docker compose up -d --scale worker=N', 'limits.backlog'])
    expect(installedCommand(other, 'debian')).toBe(other);
});
