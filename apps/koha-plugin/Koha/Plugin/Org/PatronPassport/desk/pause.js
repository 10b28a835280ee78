/** pause(ms): a page that nobody sees waits longer, and continues when it is looked at again. */
export function createPause() {
  let resume = () => {};
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) resume();
  });
  return function pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, document.hidden ? ms * 3 : ms);
      resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
}
