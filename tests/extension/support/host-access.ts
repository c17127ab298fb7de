/** Host permissions of the fake browser, with what its user gives and what the broker removes. */

import { vi } from 'vitest'
import fake from './fake-browser.ts'

/** Hosts of the manifest, which the browser never removes. */
export const MANIFEST_HOST = 'https://redirect.example/*'

/** @returns The patterns that the extension has. A test changes them as the user does. */
export function useHostAccess(): Set<string> {
  const given = new Set([MANIFEST_HOST])
  vi.spyOn(fake.runtime, 'getManifest').mockReturnValue({ host_permissions: [MANIFEST_HOST] })
  vi.spyOn(fake.permissions, 'getAll').mockImplementation(async () => ({ origins: [...given] }))
  vi.spyOn(fake.permissions, 'contains').mockImplementation(async ({ origins }) =>
    origins.every((pattern) => given.has(pattern)),
  )
  vi.spyOn(fake.permissions, 'remove').mockImplementation(async ({ origins }) => {
    if (origins.includes(MANIFEST_HOST)) throw new Error('the permission is required')
    return origins.map((pattern) => given.delete(pattern)).some(Boolean)
  })
  return given
}
