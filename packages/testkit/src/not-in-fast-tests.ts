/** Throws in the fast tier (scripts/run-jest.mjs, which sets FAST_TESTS): its tests start nothing that a build or a package brings. */
export function notInFastTests(what: string): void {
  if (process.env['FAST_TESTS'] === undefined) return;
  throw new Error(
    `A fast test starts ${what}: name its file *.slow.test.ts, or move it to packages/system-tests.`,
  );
}
