import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectApprovedApis } from '../../../../extension/background/authorization/approved-apis.ts'

const QOS = { resource: 'https://api.example/qos', scope: 'read write', purpose: 'dpv:Security' }
const PLACE = { resource: 'https://api.example/place', scope: 'place' }
const ASKED = [QOS, PLACE]

describe('the user may grant less than was asked', () => {
  test('everything stays as it was asked for', () => {
    const all = [
      { index: 0, scopes: ['write', 'read'] },
      { index: 1, scopes: ['place'] },
    ]
    expect(selectApprovedApis(ASKED, all)).toEqual(ASKED)
  })

  test('an API that is not named is not granted', () => {
    expect(selectApprovedApis(ASKED, [{ index: 1, scopes: ['place'] }])).toEqual([PLACE])
  })

  test('a scope word that is not named is not granted', () => {
    expect(selectApprovedApis(ASKED, [{ index: 0, scopes: ['read'] }])).toEqual([
      { ...QOS, scope: 'read' },
    ])
  })

  test('an API without a word is not granted', () => {
    expect(selectApprovedApis(ASKED, [{ index: 0, scopes: [] }])).toEqual([])
  })

  test('the same resource for two purposes: each stands for itself', () => {
    const other = { ...QOS, purpose: 'dpv:Marketing' }
    expect(selectApprovedApis([QOS, other], [{ index: 1, scopes: ['read'] }])).toEqual([
      { ...other, scope: 'read' },
    ])
  })

  test('whatever the window answers, nothing is added to what the page asked for', () => {
    const answers = fc.array(
      fc.record({
        index: fc.integer({ min: -1, max: 3 }),
        scopes: fc.array(fc.constantFrom('read', 'write', 'place', 'admin', '')),
      }),
    )
    fc.assert(
      fc.property(answers, (approved) => {
        for (const kept of selectApprovedApis(ASKED, approved)) {
          const asked = ASKED.find(({ resource }) => resource === kept.resource)
          expect({ ...kept, scope: asked?.scope }).toEqual(asked)
          for (const word of kept.scope.split(' ')) expect(asked?.scope.split(' ')).toContain(word)
        }
      }),
    )
  })
})
