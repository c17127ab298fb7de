/**
 * Recognizes tabs in a container of Firefox (contextual identity). A container has cookies of its own, so that
 * a site cannot connect its visitor with the visitor in another container. The grants and the subscriber of
 * the broker belong to no container, and silent authorization knows none: the broker does not run in them.
 *
 * Firefox names the container of a tab to every extension, without the permission `cookies`.
 */

import type { Tabs } from 'webextension-polyfill'

/** The cookie store of a tab without a container, outside of private windows. */
const DEFAULT_COOKIE_STORE = 'firefox-default'

/** Tells whether a tab is in a container. Chromium has none. A tab in an unknown cookie store counts as one. */
export function isInContainer({ cookieStoreId }: Pick<Tabs.Tab, 'cookieStoreId'>): boolean {
  return __TARGET__ === 'firefox' && cookieStoreId !== DEFAULT_COOKIE_STORE
}
