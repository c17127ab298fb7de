/** Every combination of sign-in mechanism, onboarding mode and profile, from authorization to an API call. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../demo-site/network/index.ts'
import { redirectUriFor } from '../../shared/core/index.ts'
import type { Onboarding } from '../../shared/messages/operator-profile.ts'
import { REDIRECT_BASE, startTestNetwork } from './support/client.ts'
import { createPerson, MECHANISMS } from './support/sign-in.ts'
import {
  callApi,
  createApiAccess,
  obtainTokens,
  onboardUe,
  startDocumentServer,
  type Ue,
} from './support/ue.ts'

const PROFILES = ['oauth', 'capif', 'camara'] as const
const ONBOARDINGS = ['preregistered', 'dynamic', 'client_id_metadata_document'] as const

let network: Network
let documents: Awaited<ReturnType<typeof startDocumentServer>>

beforeAll(async () => {
  network = await startTestNetwork()
  const issuers = network.operatorProfiles.map(({ issuer }) => issuer)
  documents = await startDocumentServer(
    await Promise.all(issuers.map((issuer) => redirectUriFor(REDIRECT_BASE, issuer))),
  )
})
afterAll(async () => {
  documents.close()
  await network.close()
})

function createNorthboundCall(ue: Ue): { title: string; url: string; body: object } {
  if (ue.server.profile === 'camara') {
    return {
      title: 'Quality on demand',
      url: '/sessions',
      body: {
        applicationServer: { ipv4Address: '198.51.100.7' },
        qosProfile: 'QOS_L',
        duration: 60,
      },
    }
  }
  return {
    title: 'Session with quality of service',
    url: '/skyframe/subscriptions',
    body: { notificationDestination: 'https://unused.invalid/', qosReference: 'QOS_L' },
  }
}

const combinations = MECHANISMS.flatMap((mechanism) =>
  ONBOARDINGS.flatMap((onboarding) =>
    PROFILES.map((profile) => ({ mechanism, onboarding, profile })),
  ),
)

describe('every combination of sign-in mechanism, onboarding mode and profile allows a northbound call', () => {
  it.each(combinations)(
    '$profile, $onboarding, by $mechanism; without interaction at the second request',
    async ({ mechanism, onboarding, profile }) => {
      const ue = await onboardUe(network, profile, onboarding as Onboarding, documents.clientId)
      const person = await createPerson(mechanism, network)
      const { title, url, body } = createNorthboundCall(ue)
      const access = createApiAccess(ue, title)

      const tokens = await obtainTokens(ue, access, (target) => person.authorize(target))
      const answer = await callApi(ue, tokens, 'POST', `${access.resource}${url}`, body)
      expect(answer.status).toBe(201)
      expect(tokens.tokenType).toBe(profile === 'capif' ? 'Bearer' : 'DPoP')

      const screensBefore = person.browser.history.length
      const secondTokens = await obtainTokens(
        ue,
        access,
        (target) => person.browser.open(target),
        'none',
      )
      const second = await callApi(ue, secondTokens, 'POST', `${access.resource}${url}`, body)
      expect(second.status).toBe(201)
      const silent = person.browser.history.slice(screensBefore)
      expect(silent.every(({ status }) => status === 303)).toBe(true)
    },
  )

  it('has 36 members', () => {
    expect(combinations).toHaveLength(36)
  })
})
