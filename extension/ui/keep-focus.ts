/**
 * Restores the keyboard focus after a change of the screen. A button loses the focus when it is removed, or
 * disabled while its task runs. The focus then returns to the button, or to the heading of its section.
 */

/** @returns Function that restores the focus. */
export function keepFocus(): () => void {
  const focused = document.activeElement
  const section = focused?.closest('section') ?? document
  const heading = section.querySelector<HTMLElement>('h1, h2')
  return () => {
    // The user may have moved the focus in the meantime.
    if (document.activeElement !== document.body || focused === document.body) return
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus()
    if (document.activeElement === document.body) focusHeading(heading)
  }
}

export function focusHeading(heading: HTMLElement | null): void {
  if (!heading) return
  heading.tabIndex = -1
  heading.focus()
}
