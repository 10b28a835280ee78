// Loaded into our processes before all else (`--import`): SIGUSR2 blocks the event loop of one for good.
process.on('SIGUSR2', () => {
  for (;;);
});
