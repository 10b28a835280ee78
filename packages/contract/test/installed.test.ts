import { expect, test } from '@jest/globals';
import { installedCommand, installedText, startCommand } from '@passport/contract';

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

test('in a text, each command is as it is typed there, once', () => {
  const text =
    'run `passport doctor midland`, then passport library requests --paste < request.txt\nor passport\nstatus';
  const typed =
    'run `docker compose run --rm cli doctor midland`, then docker compose run --rm -T cli library requests --paste < request.txt\nor docker compose run --rm cli status';
  expect(installedText(text, 'compose')).toBe(typed);
  expect(installedText(typed, 'compose')).toBe(typed);
  expect(installedText('sudo passport doctor; passport doctor', 'debian')).toBe(
    'sudo passport doctor; sudo passport doctor',
  );
  expect(installedText(text, undefined)).toBe(text);
  for (const other of [
    'passport: midland is not known',
    'apps/cli/bin/passport doctor',
    'a passport for all',
    // Columns of a table: who did it, and what.
    '2026-11-29 09:00:00  passport  export  midland',
  ])
    expect(installedText(other, 'debian')).toBe(other);
});

test('a text that somebody typed, of line breaks or of spaces, costs no more than its length', () => {
  const before = process.cpuUsage();
  for (const filling of ['\n', ' ', ' \n', 'passport\n', 'passport status ']) {
    installedText(`passport${filling.repeat(50_000)}x`, 'compose');
  }
  expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
});
