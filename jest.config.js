import { bundleLibraries } from './scripts/bundle-libraries.mjs';

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/{packages,apps}/*/{test,e2e,fault,browser}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  // Not in the temporary folder: a run has one of its own, which goes with it.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // Jest keeps the modules of each file it ran: without a limit a worker grows to 1.9 GB, and collecting them costs a twentieth of the run.
  workerIdleMemoryLimit: '700MB',
  moduleNameMapper: await bundleLibraries(),
  modulePathIgnorePatterns: ['/dist/', '/.demo/'],
  // Of a unit test; system tests have more (docs/decisions/0003-one-jest-run-from-source.md).
  testTimeout: 30_000,
  setupFilesAfterEnv: ['<rootDir>/jest.setup.js'],
};
