// What tests and their helpers import from `@jest/globals`: it passes on to what Jest has for the test file that runs, since a helper
// is loaded once and each file has its own `test` and `afterEach`.
const ofThisFile = () => globalThis[Symbol.for('passport.jest-globals')];

const passOn = (name) =>
  new Proxy(() => undefined, {
    apply: (_target, _self, args) => ofThisFile()[name](...args),
    get: (_target, key) => ofThisFile()[name][key],
  });

export const afterAll = passOn('afterAll');
export const afterEach = passOn('afterEach');
export const beforeAll = passOn('beforeAll');
export const beforeEach = passOn('beforeEach');
export const describe = passOn('describe');
export const expect = passOn('expect');
export const jest = passOn('jest');
export const test = passOn('test');
