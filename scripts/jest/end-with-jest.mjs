// Loaded into each worker of Jest (run-jest.mjs). When Jest ends a worker it waits half a second for it to have nothing open, such as
// a connection of `fetch` that is kept for the next request, and says that it did not exit. Here it exits when it is told to, and kills
// what a test has started and not stopped.
import { existsSync, readFileSync } from 'node:fs';

/** Jest's own word for it: CHILD_MESSAGE_END in jest-worker. */
const END = 2;

/** Where Linux lists a process's children; elsewhere they stay. */
function killChildren() {
  const list = `/proc/self/task/${process.pid}/children`;
  const pids = existsSync(list) ? readFileSync(list, 'utf8').split(' ').filter(Boolean) : [];
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

if (process.send !== undefined) {
  const endWhenTold = (message) => {
    if (Array.isArray(message) && message[0] === END) process.exit(0);
  };
  // Only once Jest listens, too: whoever listens first is given what has been sent so far.
  process.once('newListener', function wait(event) {
    if (event === 'message') process.on('message', endWhenTold);
    else process.once('newListener', wait);
  });
  process.once('exit', killChildren);
  // Jest itself was ended.
  process.once('disconnect', () => process.exit(1));
  // How Jest replaces a worker that has grown too large.
  process.once('SIGTERM', () => process.exit(143));
}
