import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CHROMIUM_ID, CHROMIUM_KEY, GECKO_ID, REDIRECT_BASE } from '../../extension/identity.ts'
import { createManifest, type Target } from '../../extension/manifest.ts'
import { type PolicyNode, policySchema } from '../../extension/policy-schema.ts'

const TARGETS: Target[] = ['chromium', 'firefox']

function rulesOf(target: Target) {
  const path = new URL(`../../extension/rules/${target}.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8'))
}

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

describe('what Chromium is told of the policy', () => {
  const profile = JSON.parse(
    readFileSync('extension/background/operators/operator-profile.schema.json', 'utf8'),
  )

  /** Chromium drops a member without a type, and one type each is all that it understands. */
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

  test('wrong values reach the broker, which gives the reason: nothing is narrowed', () => {
    expect(JSON.stringify(policySchema)).not.toMatch(/enum|minLength|maxLength|required":/)
    expect(policySchema.properties?.operators?.items?.additionalProperties).toEqual({
      type: 'string',
    })
  })
})

describe.each(TARGETS)('the manifest for %s', (target) => {
  const released = createManifest(target, false)
  const development = createManifest(target, true)

  test('V1: the rules name the broker’s own host, anchored, and nothing else', () => {
    const { host } = new URL(REDIRECT_BASE[target])
    const filters = rulesOf(target).map(
      (rule: { condition: { urlFilter: string } }) => rule.condition.urlFilter,
    )
    // Firefox keeps the address before a rule's redirect in its history, so there the rule only blocks.
    const strip = target === 'chromium' ? [`|https://${host}/*?`] : []
    expect(filters).toEqual([...strip, `||${host}^`])
  })

  // Older ones lose the bodies of calls in messages, and know neither `world` nor `sender.origin`.
  test('it asks for a browser that can do what it relies on', () => {
    const { minimum_chrome_version, message_serialization, browser_specific_settings } =
      released as unknown as Record<string, unknown>
    if (target === 'chromium') {
      expect(message_serialization).toBe('structured_clone')
      expect(Number(minimum_chrome_version)).toBeGreaterThanOrEqual(148)
    } else {
      expect(browser_specific_settings).toMatchObject({
        gecko: { strict_min_version: '128.0' },
        gecko_android: { strict_min_version: '128.0' },
      })
    }
  })

  test('E01: it asks for these permissions and no more', () => {
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

  test('E02, E03: nothing is web accessible, nobody else may connect', () => {
    expect(released).not.toHaveProperty('web_accessible_resources')
    if (target === 'chromium') expect(released).toHaveProperty('externally_connectable', {})
  })

  test('E14: it stays out of private windows', () => {
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
