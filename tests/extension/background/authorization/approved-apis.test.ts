import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectApprovedApis } from '../../../../extension/background/authorization/approved-apis.ts'

const QOS = { resource: 'https://api.example/qos', scope: 'read write', purpose: 'dpv:Security' }
const PLACE = { resource: 'https://api.example/place', scope: 'place' }
const REQUESTED = [QOS, PLACE]

describe('the user may approve less than the page requested', () => {
  test('a request that is approved completely stays as it is', () => {
    const all = [
      { index: 0, scopes: ['write', 'read'] },
      { index: 1, scopes: ['place'] },
    ]
    expect(selectApprovedApis(REQUESTED, all)).toEqual(REQUESTED)
  })

  test('an API that is not approved is left out', () => {
    expect(selectApprovedApis(REQUESTED, [{ index: 1, scopes: ['place'] }])).toEqual([PLACE])
  })

  test('a scope that is not approved is left out', () => {
    expect(selectApprovedApis(REQUESTED, [{ index: 0, scopes: ['read'] }])).toEqual([
      { ...QOS, scope: 'read' },
    ])
  })

  test('an API of which no scope is approved is left out', () => {
    expect(selectApprovedApis(REQUESTED, [{ index: 0, scopes: [] }])).toEqual([])
  })

  // Seen to fail when an approval needs a scope.
  test('H21: an API that is requested without scope is approved as a whole, or left out', () => {
    const scopeless = { resource: 'https://api.example/scopeless', scope: '' }
    expect(selectApprovedApis([scopeless], [{ index: 0, scopes: [] }])).toEqual([scopeless])
    expect(selectApprovedApis([scopeless], [{ index: 0, scopes: ['admin'] }])).toEqual([scopeless])
    expect(selectApprovedApis([scopeless, PLACE], [{ index: 1, scopes: ['place'] }])).toEqual([
      PLACE,
    ])
  })

  test('a resource that is requested for two purposes is approved for each by itself', () => {
    const marketing = { ...QOS, purpose: 'dpv:Marketing' }
    expect(selectApprovedApis([QOS, marketing], [{ index: 1, scopes: ['read'] }])).toEqual([
      { ...marketing, scope: 'read' },
    ])
  })

  test('no answer of the consent window adds an API or a scope to the request', () => {
    const answers = fc.array(
      fc.record({
        index: fc.integer({ min: -1, max: 3 }),
        scopes: fc.array(fc.constantFrom('read', 'write', 'place', 'admin', '')),
      }),
    )
    fc.assert(
      fc.property(answers, (approved) => {
        for (const api of selectApprovedApis(REQUESTED, approved)) {
          const requested = REQUESTED.find(({ resource }) => resource === api.resource)
          expect({ ...api, scope: requested?.scope }).toEqual(requested)
          const scopes = requested?.scope.split(' ')
          for (const word of api.scope.split(' ')) expect(scopes).toContain(word)
        }
      }),
    )
  })
})
