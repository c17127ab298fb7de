/**
 * Tests concurrent changes of a site.
 *
 * Seen to fail when a site is added outside the queue: the popup and the browser's event both find the site
 * off, and the open page gets its scripts twice; when a host with a `*` passes, whose match pattern is for other
 * hosts too.
 */

import 'fake-indexeddb/auto'
import fake from '../../support/fake-browser.ts'

vi.mock('webextension-polyfill', () => import('../../support/fake-browser.ts'))

import { expect, test, vi } from 'vitest'
import { useSite } from '../../../../extension/background/lifecycle/site-changes.ts'
import { handleScreenRequest } from '../../../../extension/background/screens/screen-router.ts'
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

test.each(['https://*', 'https://*.example'])(
  'A11h: the origin %s asks for no permission and is not switched on, since its pattern means other hosts',
  async (origin) => {
    expect(new URL(origin).origin).toBe(origin)
    const shown = await handleScreenRequest({
      type: 'screenRequest',
      method: 'getSite',
      params: { origin },
    })
    expect(shown).toMatchObject({ state: 'unfit', permissions: [] })
    await expect(useSite(origin)).rejects.toThrow('a single host')
    expect(await isSiteOn(origin)).toBe(false)
  },
)
