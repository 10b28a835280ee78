/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/{packages,apps}/*/{test,e2e,fault,browser}/**/*.test.ts'],
  // Node runs the tests: docs/decisions/0003-one-jest-run-from-source.md.
  runtime: '<rootDir>/scripts/jest/runtime.mjs',
  testEnvironment: '<rootDir>/scripts/jest/environment.mjs',
  transform: {},
  // Not in the temporary folder: a run has one of its own, which goes with it.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // What test files leave behind adds up; Jest replaces a worker that has become this large. With a limit it never runs files in its own
  // process, so that each run of `--watch`, and each file that runs once more, has a process that knows nothing of the one before.
  workerIdleMemoryLimit: '1GB',
  modulePathIgnorePatterns: ['/dist/', '/.demo/'],
  setupFilesAfterEnv: ['<rootDir>/jest.setup.js'],
};
