/**
 * Icon of the broker, for pages to show beside its name: a tile with a key cut out of it. The tile contrasts with
 * light and dark pages.
 */
export const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='%2326b' d='M0 0v16h16V0M8 2l2 5-2 2-2-2m1 2h2v2h2v2H9v1H7'/></svg>"
