/** Messages of the profile `capif` against the OpenAPI files of 3GPP. */

import type { ValidateFunction } from 'ajv'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  capifDiscoveryQuery,
  capifServiceSecurity,
  parseSecurityNotification,
  readServiceSecurity,
  redeemCode,
  type ServerConfig,
} from '../../shared/core/index.ts'
import { closedNetwork, json } from '../shared/support/closed-network.ts'
import { failure } from '../shared/support/failure.ts'
import { CLIENT_ID, ISSUER, METADATA, redeemable } from '../shared/support/fixtures.ts'
import { hasOpenApiFiles, MISSING, openRelease } from './openapi.ts'

const SECURITY = 'TS29222_CAPIF_Security_API.yaml'
const { token_endpoint: _, ...metadata } = METADATA
const TOKEN = `${ISSUER}/capif-security/v1/securities/${CLIENT_ID}/token`
const apis = [{ resource: 'https://aef.example/x/v1', scope: '3gpp#aef-a:3gpp-monitoring-event' }]
const success = { access_token: 'jws', token_type: 'Bearer', expires_in: 300 }

type Settings = NonNullable<ServerConfig['capif']>
const SETTINGS: Settings[] = [
  {},
  { authCode: 'authCode' },
  { authCode: 'code' },
  { resOwnerId: 'json' },
  { resOwnerId: 'gpsi' },
]

beforeEach(({ skip }) => {
  if (!hasOpenApiFiles) skip(MISSING)
})

const CURRENT = ['rel19', 'rel18'] as const
const V18_5 = 'rel18-v18.5.0'

function validator(folder: string, name: string, file = SECURITY): ValidateFunction {
  return openRelease(folder).schema(file, name)
}

function expectValid(validate: ValidateFunction, value: unknown): void {
  const valid = validate(value)
  expect([valid, validate.errors]).toEqual([true, null])
}

async function tokenRequest(capif: Settings): Promise<Record<string, unknown>> {
  const server: ServerConfig = {
    issuer: ISSUER,
    profile: 'capif',
    capif: { apiRoot: ISSUER, ...capif },
  }
  const network = closedNetwork().on(TOKEN, json(success))
  const flow = await redeemable(network, { server, metadata, apis })
  await redeemCode(flow, network, { gpsi: 'msisdn-34666666666' })
  const form: Record<string, unknown> = Object.fromEntries(network.sent[0]?.form ?? [])
  // 3GPP does not specify the encoding of an object in a form; the schema describes the decoded JSON.
  if (typeof form.resOwnerId === 'string') form.resOwnerId = JSON.parse(form.resOwnerId)
  return form
}

describe('requests of the profile against the OpenAPI files of 3GPP', () => {
  test.each(SETTINGS)('AccessTokenReq of V18.5.0 and V19.5.0 with %j', async (capif) => {
    const form = await tokenRequest(capif)
    expectValid(validator(V18_5, 'AccessTokenReq'), form)
    expectValid(validator('rel19', 'AccessTokenReq'), form)
  })

  test('AccessTokenReq: the schema can fail', async () => {
    const validate = validator('rel19', 'AccessTokenReq')
    const { client_id: _id, ...form } = await tokenRequest({})
    expect(validate(form)).toBe(false)
    expect(validate({ ...form, client_id: 'x', grant_type: 'refresh_token' })).toBe(false)
  })

  test.each(CURRENT)('ServiceSecurity of %s', (folder) => {
    const validate = validator(folder, 'ServiceSecurity')
    for (const notifications of ['websocket', 'none'] as const) {
      const body = capifServiceSecurity([{ aefId: 'aef-a', apiId: 'a1' }], notifications)
      expectValid(validate, body)
    }
    expect(validate({ securityInfo: [] })).toBe(false)
  })

  test('the requested grant type is one of OAuthGrantType (V19.5.0)', () => {
    const [grantType] = JSON.parse(capifDiscoveryQuery('x').get('grant-types') ?? '[]')
    const { anyOf } = openRelease('rel19').schema(SECURITY, 'OAuthGrantType').schema as {
      anyOf: { enum?: string[] }[]
    }
    expect(anyOf.flatMap((alternative) => alternative.enum ?? [])).toContain(grantType)
  })
})

describe('responses that the profile accepts against the same files', () => {
  test.each([V18_5, 'rel19'])('AccessTokenRsp of %s', async (folder) => {
    const validate = validator(folder, 'AccessTokenRsp')
    const body = { ...success, scope: apis[0]?.scope }
    expectValid(validate, body)
    for (const name of ['access_token', 'token_type']) {
      const { [name as 'access_token']: _gone, ...broken } = body
      expect(validate(broken)).toBe(false)
      const server: ServerConfig = { issuer: ISSUER, profile: 'capif', capif: { apiRoot: ISSUER } }
      const network = closedNetwork().on(TOKEN, json(broken))
      const flow = await redeemable(network, { server, metadata, apis })
      expect((await failure(redeemCode(flow, network))).code).toBe('invalid_response')
    }
  })

  test.each([V18_5, 'rel19'])(
    'AccessTokenErr of %s: each of its errors is kept',
    async (folder) => {
      const validate = validator(folder, 'AccessTokenErr')
      const schema = validate.schema as { properties: { error: { enum: string[] } } }
      const server: ServerConfig = { issuer: ISSUER, profile: 'capif', capif: { apiRoot: ISSUER } }
      expect(schema.properties.error.enum.length).toBeGreaterThan(5)
      for (const error of schema.properties.error.enum) {
        expectValid(validate, { error })
        const network = closedNetwork().on(TOKEN, json({ error }, { status: 400 }))
        const flow = await redeemable(network, { server, metadata, apis })
        expect((await failure(redeemCode(flow, network))).error).toBe(error)
      }
    },
  )

  test('ProblemDetails (TS 29.122)', async () => {
    const problem = {
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'no security context',
      cause: 'CONTEXT_NOT_FOUND',
      invalidParams: [{ param: 'scope', reason: 'unknown' }],
    }
    expectValid(validator('rel19', 'ProblemDetails', 'TS29122_CommonData.yaml'), problem)
    const headers = { 'content-type': 'application/problem+json' }
    const server: ServerConfig = { issuer: ISSUER, profile: 'capif', capif: { apiRoot: ISSUER } }
    const network = closedNetwork().on(TOKEN, json(problem, { status: 403, headers }))
    const flow = await redeemable(network, { server, metadata, apis })
    expect((await failure(redeemCode(flow, network))).error).toBe('CONTEXT_NOT_FOUND')
  })

  test('ServiceSecurity with a selection (V19.5.0)', () => {
    const answer = {
      securityInfo: [
        {
          aefId: 'aef-a',
          apiId: 'a1',
          prefSecurityMethods: ['OAUTH'],
          selSecurityMethod: 'OAUTH',
          grantType: ['AUTHORIZATION_CODE_WITH_PKCE'],
        },
      ],
      notificationDestination: 'https://ue.invalid/notifications',
      websockNotifConfig: { websocketUri: 'wss://ccf.example/ws/1' },
    }
    expectValid(validator('rel19', 'ServiceSecurity'), answer)
    expect(readServiceSecurity(answer).websocketUri).toBe('wss://ccf.example/ws/1')
  })

  test.each([
    ['rel18', {}],
    ['rel19', { accessToken: 'jws' }],
  ])('SecurityNotification of %s', (folder, token) => {
    const notification = {
      apiInvokerId: 'INV-7f3a',
      aefId: 'aef-a',
      apiIds: ['a1'],
      cause: 'AUTHORIZATION_ISSUE',
      ...token,
    }
    expectValid(validator(folder, 'SecurityNotification'), notification)
    expect(parseSecurityNotification(notification)).toEqual(notification)
  })
})
