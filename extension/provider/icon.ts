/** The broker's mark, as pages show it beside the name. */
export const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect fill='%23123a5c' width='32' height='32' rx='8'/%3E%3Cpath fill='%23ffd166' d='M16 4l4 10-4 3-4-3zm-2 13h4v5h3v3h-3v3h-4z'/%3E%3C/svg%3E"
