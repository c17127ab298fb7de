import { describe, expect, test } from 'vitest'
import { canonicalUrl, isUnder } from '../../../../extension/background/api-calls/resource-url.ts'

const RESOURCE = 'https://api.example/3gpp-as-session-with-qos/v1'

function isInResource(url: string, resource = RESOURCE): boolean {
  try {
    return isUnder(canonicalUrl(url), resource)
  } catch {
    return false
  }
}

describe('B19: a URL is canonicalized, then matched by whole path segments', () => {
  const table: [url: string, expected: boolean][] = [
    [RESOURCE, true],
    [`${RESOURCE}/`, true],
    [`${RESOURCE}/app/subscriptions?x=1`, true],
    [`${RESOURCE}/a/../b`, true],
    [`https://api.example:443/3gpp-as-session-with-qos/v1/x`, true],
    [`${RESOURCE}0/x`, false],
    [`${RESOURCE}.evil/x`, false],
    [`${RESOURCE}/../other`, false],
    [`${RESOURCE}/%2e%2e/other`, false],
    [`${RESOURCE}/..%2fother`, false],
    [`${RESOURCE}/..%5cother`, false],
    [`${RESOURCE}/%252e%252e/other`, false],
    [`${RESOURCE}/..;/other`, false],
    [`${RESOURCE}/a/.;x=1/../other`, false],
    [`${RESOURCE}/%2e%2e%3b/other`, false],
    [`${RESOURCE}/a%0d%0aX-Header:1`, false],
    [`${RESOURCE}/a;v=1/b`, true],
    [`${RESOURCE}/caf%C3%A9`, true],
    [`${RESOURCE}\\..\\..\\other`, false],
    [`https://api.example//3gpp-as-session-with-qos/v1/x`, false],
    ['https://api.example.evil/3gpp-as-session-with-qos/v1/x', false],
    ['https://api.example@evil/3gpp-as-session-with-qos/v1/x', false],
    ['https://user:word@api.example/3gpp-as-session-with-qos/v1/x', false],
    ['http://api.example/3gpp-as-session-with-qos/v1/x', false],
    ['https://api.example:8443/3gpp-as-session-with-qos/v1/x', false],
    ['//api.example/3gpp-as-session-with-qos/v1/x', false],
    ['file:///3gpp-as-session-with-qos/v1/x', false],
    [`${RESOURCE}/x#fragment`, false],
  ]
  test.each(table)('%s', (url, expected) => {
    expect(isInResource(url)).toBe(expected)
  })

  test('a resource without a path covers its origin and no other', () => {
    expect(isInResource('https://api.example/x', 'https://api.example')).toBe(true)
    expect(isInResource('https://api.example/x', 'https://api.example/')).toBe(true)
    expect(isInResource('https://api.example.evil/x', 'https://api.example/')).toBe(false)
  })
})
