/**
 * A button that vanishes, or is switched off while its work is done, takes the focus with it. Whoever
 * uses the keyboard goes on at the button, or else at the heading above where it was.
 */

export function keepFocus(): () => void {
  const left = document.activeElement
  const section = left?.closest('section') ?? document
  const heading = section.querySelector<HTMLElement>('h1, h2')
  return () => {
    // Somebody may have gone elsewhere meanwhile.
    if (document.activeElement !== document.body || left === document.body) return
    if (left instanceof HTMLElement && left.isConnected) left.focus()
    if (document.activeElement === document.body) focusHeading(heading)
  }
}

export function focusHeading(heading: HTMLElement | null): void {
  if (!heading) return
  heading.tabIndex = -1
  heading.focus()
}
