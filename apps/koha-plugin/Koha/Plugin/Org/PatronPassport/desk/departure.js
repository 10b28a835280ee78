/** The way to another page: `leaveSoon(address, ms)`, and `stay()` when something comes in between. */
export function createDeparture() {
  let leaving = null;
  return {
    leaveSoon(address, ms) {
      if (!leaving) leaving = setTimeout(() => location.replace(address), ms);
    },
    stay() {
      clearTimeout(leaving);
      leaving = null;
    },
  };
}
