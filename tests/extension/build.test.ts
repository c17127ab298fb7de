/** Tests the generated manifest, the policy schema and the fixed ids. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CHROMIUM_ID, CHROMIUM_KEY, GECKO_ID, REDIRECT_BASE } from '../../extension/identity.ts'
import { createManifest, type Target } from '../../extension/manifest.ts'
import { type PolicyNode, policySchema } from '../../extension/policy-schema.ts'

const TARGETS: Target[] = ['chromium', 'firefox']

describe('E18: the ids, and so the redirect URIs, are fixed', () => {
  test('Chromium derives its id from the key', () => {
    const digest = createHash('sha256').update(Buffer.from(CHROMIUM_KEY, 'base64')).digest('hex')
    const id = [...digest.slice(0, 32)].map((c) => 'abcdefghijklmnop'[Number.parseInt(c, 16)])
    expect(id.join('')).toBe(CHROMIUM_ID)
    expect(REDIRECT_BASE.chromium).toBe(`https://${CHROMIUM_ID}.chromiumapp.org/`)
  })

  test('Firefox derives its host from the add-on id', () => {
    const digest = createHash('sha1').update(GECKO_ID).digest('hex')
    expect(REDIRECT_BASE.firefox).toBe(`https://${digest}.extensions.allizom.org/`)
  })
})

describe('the policy schema of Chromium', () => {
  const profile = JSON.parse(
    readFileSync('extension/background/operators/operator-profile.schema.json', 'utf8'),
  )

  /** Chromium drops a member without a type, and supports one type for each member. */
  function expectTyped(node: PolicyNode | undefined, source: Record<string, unknown>): void {
    const declared = source.type ?? (source.enum ? 'string' : undefined)
    expect(node?.type).toBe(declared)
    const { properties, items } = source as { properties?: object; items?: object }
    for (const [name, member] of Object.entries(properties ?? {})) {
      expectTyped(node?.properties?.[name], member)
    }
    if (items) expectTyped(node?.items, items as Record<string, unknown>)
  }

  test('every member of an operator profile has the type that the profile’s schema gives it', () => {
    expectTyped(policySchema.properties?.operators?.items, profile)
  })

  // Chromium 156 drops the whole list `operators` if one value in it has a wrong type, and says so to nobody.
  test('F05: a list of texts lets everything through that the broker can judge', () => {
    expect(policySchema.properties?.operatorFiles).toMatchObject({
      type: 'array',
      items: { type: 'string' },
    })
  })

  test('the schema restricts no value, so that invalid values reach the broker, which gives the reasons', () => {
    expect(JSON.stringify(policySchema)).not.toMatch(/enum|minLength|maxLength|required":/)
    expect(policySchema.properties?.operators?.items?.additionalProperties).toEqual({
      type: 'string',
    })
  })
})

describe.each(TARGETS)('the manifest for %s', (target) => {
  const released = createManifest(target, false)
  const development = createManifest(target, true)

  // Firefox gives the extension another host at each installation, so its rule is one of the session.
  test('A04, H01: its only rule is for the requests of the extension itself, in Chromium', () => {
    for (const manifest of [released, development]) {
      const { declarative_net_request } = manifest as { declarative_net_request?: object }
      expect(declarative_net_request).toEqual(
        target === 'chromium'
          ? {
              rule_resources: [
                { id: 'anonymous-requests', enabled: true, path: 'anonymous-requests.json' },
              ],
            }
          : undefined,
      )
    }
  })

  // Older browsers lose the bodies of calls in messages, and have neither `world` nor `sender.origin`.
  test('it requires a browser version with the APIs that it uses', () => {
    const { minimum_chrome_version, message_serialization, browser_specific_settings } =
      released as unknown as Record<string, unknown>
    if (target === 'chromium') {
      expect(message_serialization).toBe('structured_clone')
      expect(Number(minimum_chrome_version)).toBeGreaterThanOrEqual(148)
    } else {
      expect(browser_specific_settings).toMatchObject({
        gecko: { strict_min_version: '140.0' },
        gecko_android: { strict_min_version: '142.0' },
      })
    }
  })

  // Below Firefox 140, and 142 on Android, an add-on that transmits data has to ask the user itself.
  test('it names the data that it transmits, where the browser asks the user for them', () => {
    const { browser_specific_settings: settings } = released as unknown as {
      browser_specific_settings?: { gecko: { data_collection_permissions: object } }
    }
    expect(settings?.gecko.data_collection_permissions).toEqual(
      target === 'firefox'
        ? { required: ['authenticationInfo', 'browsingActivity', 'websiteContent'] }
        : undefined,
    )
  })

  test('E01: it requests these permissions only', () => {
    expect(released.permissions).toEqual([
      'identity',
      'webRequest',
      'declarativeNetRequest',
      'storage',
      'alarms',
      'scripting',
      'activeTab',
    ])
    expect(released.optional_host_permissions).toEqual(['https://*/*'])
    expect(released.host_permissions).toEqual([`${REDIRECT_BASE[target]}*`])
    expect(released.content_scripts).toEqual([])
  })

  test('E11: only the development build names loopback or http', () => {
    expect(JSON.stringify(released)).not.toMatch(/localhost|127\.0\.0\.1|http:|ws:/)
    expect(JSON.stringify(development)).toContain('http://127.0.0.1/*')
  })

  test('E02, E03: no resource is web accessible, and no other extension or site may connect', () => {
    expect(released).not.toHaveProperty('web_accessible_resources')
    if (target === 'chromium') expect(released).toHaveProperty('externally_connectable', {})
  })

  test('E14: it does not run in private windows', () => {
    expect([released.incognito, development.incognito]).toEqual(['not_allowed', 'not_allowed'])
  })

  test('E04: the content security policy is strict', () => {
    const policy = (released.content_security_policy as { extension_pages: string }).extension_pages
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(part)
    }
    expect(policy).not.toMatch(/unsafe|\*/)
  })
})
