/** The broker's mark, as pages show it beside the name. */
export const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%23123a5c'/%3E%3Cpath d='M16 4l4 10-4 3-4-3zM14 17h4v11h-4zM17 22h4v3h-4z' fill='%23ffd166'/%3E%3C/svg%3E"
