// Loaded into each worker of Jest (run-jest.mjs). When Jest ends a worker it waits half a second for it to have nothing open, such as
// a connection of `fetch` that is kept for the next request, and says that it did not exit. Here it exits when it is told to, by
// `process.exit`: so what a test has started and not stopped is killed (packages/testkit/src/kill-at-exit.ts) and not left behind.
/** Jest's own word for it: CHILD_MESSAGE_END in jest-worker. */
const END = 2;

if (process.send !== undefined) {
  const endWhenTold = (message) => {
    if (Array.isArray(message) && message[0] === END) process.exit(0);
  };
  // Only once Jest listens, too: whoever listens first is given what has been sent so far.
  process.once('newListener', function wait(event) {
    if (event === 'message') process.on('message', endWhenTold);
    else process.once('newListener', wait);
  });
  // How Jest replaces a worker that has grown too large.
  process.once('SIGTERM', () => process.exit(143));
}
