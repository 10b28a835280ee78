import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../run-command.mjs';

/** What only a real machine has, and Debian's own Redis, which is not ours. */
const MASKED = ['systemd-udevd.service', 'getty.target', 'console-getty.service', 'redis-server.service'];
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program; its output, or an error that has it. */
export async function must(command, args, options = {}) {
  const { code, output } = await runCommand(command, args, { timeoutMs: 600_000, ...options });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${output.slice(-4_000)}`);
  return output;
}

/** A bare Debian 13. `archives` keeps what is downloaded, for the next run. */
export async function makeTree(root, archives) {
  mkdirSync(archives, { recursive: true });
  const options = ['--variant=minbase', '--include=systemd,ca-certificates', `--cache-dir=${archives}`];
  await must('debootstrap', [...options, 'trixie', root]);
  for (const unit of MASKED) await must('ln', ['-sf', '/dev/null', join(root, 'etc/systemd/system', unit)]);
}

/** Runs apt-get in a tree that is not booted, with this machine's network. */
export const aptInTree = (root, ...args) => {
  const env = { DEBIAN_FRONTEND: 'noninteractive', PATH };
  return must('chroot', [root, 'apt-get', '--yes', '--quiet=2', ...args], { env });
};

/**
 * What makes a tree a machine: file systems of its own, shared as systemd wants them, and systemd as process 1. Its
 * network is loopback.
 */
const BOOT = `
set -e
root=$1
mount --make-rprivate /
mount --rbind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for name in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$name"; done
chmod 1777 "$root/tmp"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up
cd "$root"
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=test PATH=${PATH} /usr/lib/systemd/systemd --log-target=journal --show-status=no
`;
const NAMESPACES = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];

/** Boots a tree, until `stop`. `run` starts a program in it and returns its output, `beside` one of this machine in its network. */
export async function boot(root) {
  const args = ['--fork', '--kill-child', ...NAMESPACES, 'sh', '-c', BOOT, 'sh', root];
  const outer = spawn('unshare', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise((resolve) => outer.once('close', resolve));
  const pid = await until('systemd to start', () => {
    const [first] = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').split(' ');
    return first !== '' && readFileSync(`/proc/${first}/comm`, 'utf8') === 'systemd\n' ? first : null;
  });
  const enter = ['--target', pid, '--all', '--root', '--wd', 'env', '-i', `PATH=${PATH}`];
  const run = (command, env = []) => must('nsenter', [...enter, ...env, 'sh', '-c', command]);
  // Degraded is fine: no kernel modules can be loaded here.
  await until('systemd to have booted', async () =>
    /running|degraded/.test(await run('systemctl is-system-running || true')),
  );
  return {
    run,
    apt: (...wanted) =>
      run(`apt-get --yes --quiet=2 ${wanted.join(' ')}`, ['DEBIAN_FRONTEND=noninteractive']),
    beside: (command, commandArgs, options) =>
      spawn('nsenter', ['--target', pid, '--net', command, ...commandArgs], options),
    write: (path, text, mode = 0o644) => writeFileSync(join(root, path), text, { mode }),
    read: (path) => readFileSync(join(root, path), 'utf8'),
    async stop() {
      outer.kill('SIGKILL');
      await gone;
    },
  };
}

/** Resolves with what `probe` gives once it gives something; says what it waited for when it never does. */
export async function until(what, probe, timeoutMs = 90_000) {
  const end = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`, { cause: last });
    await pause(200);
  }
}
