// Loaded into our processes before all else (`--import`): SIGUSR2 blocks the event loop of one for good. It computes for a second, as a
// fault would; after that it waits, and leaves the processors to other tests.
const COMPUTES_MS = 1_000;
process.on('SIGUSR2', () => {
  for (const until = Date.now() + COMPUTES_MS; Date.now() < until;);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
