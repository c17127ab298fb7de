/** Icon of the broker, for pages to show beside its name. */
export const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='%23135' d='M0 0h16v16H0'/><path fill='%23fd6' d='M8 2l2 5-2 2-2-2m1 2h2v2h2v2H9v1H7'/></svg>"
