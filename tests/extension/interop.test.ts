/**
 * Tests the pages of docs/operators and the settings of tests/interop against the code: each profile is valid, the page
 * of a server shows the profile of its run, and settings and page have the redirect URIs of the issuer. The runs
 * themselves need the servers, and are no part of the tests.
 *
 * Seen to fail with the hash of another issuer in a setting, and with a member that the schema does not know.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkProfile } from '../../extension/background/operators/operator-profile-check.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import { SERVERS } from '../interop/servers.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

function readSettings(name: string): string {
  const folder = join(ROOT, 'tests/interop', name)
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map(({ parentPath, name: file }) => readFileSync(join(parentPath, file), 'utf8'))
    .join('\n')
}

describe.each(Object.entries(SERVERS))('the run at %s', (name, { title }) => {
  const profile = JSON.parse(read(`tests/interop/${name}/profile.json`))
  const page = read(`docs/operators/${name}.md`)

  test('has a valid operator profile', () => {
    expect(checkProfile(profile, true)).toEqual({ profile })
  })

  test('has a page with this profile, and with the version that was tried', () => {
    const [, sample = ''] = /^```json\n([\s\S]*?)^```$/m.exec(page) ?? []
    expect(JSON.parse(sample)).toEqual(profile)
    expect(page).toContain(title)
    expect(read('docs/operators/README.md')).toContain(`(${name}.md)`)
  })

  test.each(Object.values(REDIRECT_BASE))('has the redirect URI below %s there', async (base) => {
    const uri = await redirectUriFor(base, profile.issuer)
    expect(page).toContain(uri)
    expect(readSettings(name)).toContain(new URL(uri).pathname.slice(1))
  })
})
