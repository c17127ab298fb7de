/** Icon of the broker, for pages to show beside its name. */
export const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect fill='%23135' width='32' height='32' rx='8'/><path fill='%23fd6' d='M16 4l4 10-4 3-4-3m2 3h4v5h3v3h-3v3h-4'/></svg>"
