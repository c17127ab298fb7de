/**
 * Tests concurrent changes of a site.
 *
 * Seen to fail when a site is added outside the queue: the popup and the browser's event both find the site
 * off, and the open page gets its scripts twice.
 */

import 'fake-indexeddb/auto'
import fake from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { expect, test, vi } from 'vitest'
import { addSite, isSiteOn, removeSite } from '../../../../extension/background/sites/sites.ts'
import { ORIGIN } from '../../support/records.ts'

test('a site that is switched on twice at once is added once, and its page gets each script once', async () => {
  vi.spyOn(fake.tabs, 'get').mockResolvedValue({
    ...(await fake.tabs.get(1)),
    url: `${ORIGIN}/`,
  })
  const inject = vi.spyOn(fake.scripting, 'executeScript')
  const added = await Promise.all([addSite(ORIGIN, 1), addSite(ORIGIN, 1)])
  expect(added).toEqual([true, false])
  expect(inject).toHaveBeenCalledTimes(2)
  expect(await isSiteOn(ORIGIN)).toBe(true)
  expect(await Promise.all([removeSite(ORIGIN), removeSite(ORIGIN)])).toEqual([true, false])
  expect(await isSiteOn(ORIGIN)).toBe(false)
})
