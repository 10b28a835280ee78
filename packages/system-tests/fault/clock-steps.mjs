// Loaded into our processes before all else (`--import`). A worker finds its machine's clock off by CLOCK_OFF_MS, and
// each SIGUSR2 steps it by CLOCK_STEP_MS; the receiver's is right. Timers and the monotonic clock are not touched, as in
// life.
if (process.argv[1]?.includes('/worker/')) {
  const RealDate = Date;
  let offMs = Number(process.env.CLOCK_OFF_MS ?? 0);
  process.on('SIGUSR2', () => {
    offMs += Number(process.env.CLOCK_STEP_MS ?? 0);
  });

  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + offMs);
      else super(...args);
    }

    static now() {
      return RealDate.now() + offMs;
    }
  };
}
