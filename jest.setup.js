import { expect, jest } from '@jest/globals';

// System tests start processes and wait for them: docs/decisions/0003-one-jest-run-from-source.md.
if (expect.getState().testPath?.includes('/packages/system-tests/')) jest.setTimeout(90_000);
