import { expect, jest } from '@jest/globals';

// System tests start processes and wait for them: docs/decisions/0003-one-jest-run-from-source.md.
jest.setTimeout(expect.getState().testPath?.includes('/packages/system-tests/') ? 90_000 : 30_000);
