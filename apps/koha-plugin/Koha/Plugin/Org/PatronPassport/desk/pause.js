/** pause(ms): a page that nobody sees waits longer, and wakes when it is looked at again. */
export function createPause() {
  let wake = () => {};
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) wake();
  });
  return function pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, document.hidden ? ms * 3 : ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
}
