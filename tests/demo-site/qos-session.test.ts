/** Request of TS 29.122 that the page sends, and what it reads from the answer. */

import { existsSync, readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  qosSessionRequest,
  readQosSession,
  readQosSessions,
  subscriptionsUrl,
} from '../../demo-site/app/model/qos-session.ts'

const config = {
  issuer: 'http://localhost:4400',
  resource: 'http://127.0.0.1:4401/3gpp-as-session-with-qos/v1',
  scope: '3gpp-as-session-with-qos',
  scsAsId: 'sky/frame',
}

const FOLDER = new URL('../../../shared/3gpp/rel19/', import.meta.url)

interface OpenApi {
  components: {
    schemas: Record<string, { properties?: Record<string, object>; required?: string[] }>
  }
}

const readYaml = (file: string) => parse(readFileSync(new URL(file, FOLDER), 'utf8')) as OpenApi

describe('TS 29.122 clause 5.14: the QoS session', () => {
  test('clause 5.14.3.2: the collection is below the API root and the SCS/AS', () => {
    expect(subscriptionsUrl(config)).toBe(`${config.resource}/sky%2Fframe/subscriptions`)
    expect(subscriptionsUrl({ ...config, resource: `${config.resource}/` })).toBe(
      subscriptionsUrl(config),
    )
  })

  test('clause 5.14.2.1.2: the request does not name the UE', () => {
    const names = Object.keys(qosSessionRequest(config))
    for (const name of ['gpsi', 'ueIpv4Addr', 'ueIpv6Addr', 'macAddr']) {
      expect(names).not.toContain(name)
    }
  })

  test('TS 29.214 clause 5.3.8: flows are permitted in both directions, without "assigned"', () => {
    const [flow] = qosSessionRequest(config).flowInfo
    expect(flow?.flowDescriptions).toHaveLength(2)
    expect(flow?.flowDescriptions[0]).toMatch(/^permit out 17 from \S+ \d+ to any$/)
    expect(flow?.flowDescriptions[1]).toMatch(/^permit in 17 from any to \S+ \d+$/)
  })

  test('the QoS reference is the configured one', () => {
    expect(qosSessionRequest({ ...config, qosReference: 'QOS_S' }).qosReference).toBe('QOS_S')
  })

  test('the request has only members of the published schema', ({ skip }) => {
    skip(!existsSync(FOLDER), 'did not run: the OpenAPI files of 3GPP are not on this machine')
    const session = readYaml('TS29122_AsSessionWithQoS.yaml').components.schemas
    const common = readYaml('TS29122_CommonData.yaml').components.schemas
    const { AsSessionWithQoSSubscription: subscription } = session
    const { FlowInfo: flow, WebsockNotifConfig: notifications } = common
    expect(subscription?.required).toEqual(['notificationDestination'])
    const validate = new Ajv2019({ strict: false }).compile({
      type: 'object',
      required: subscription?.required,
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.keys(subscription?.properties ?? {}).map((name) => [name, {}]),
      ),
    })
    const request = qosSessionRequest(config)
    expect(validate(request), JSON.stringify(validate.errors)).toBe(true)
    expect(Object.keys(flow?.properties ?? {})).toEqual(
      expect.arrayContaining(Object.keys(request.flowInfo[0] ?? {})),
    )
    expect(Object.keys(notifications?.properties ?? {})).toEqual(
      expect.arrayContaining(Object.keys(request.websockNotifConfig)),
    )
  })

  test('a created session is read from self, otherwise from Location', () => {
    const self = 'http://a.example/v1/x/subscriptions/42'
    expect(readQosSession({ self, qosReference: 'QOS_L' })).toEqual({
      url: self,
      id: '42',
      qosReference: 'QOS_L',
    })
    expect(readQosSession({}, self)?.url).toBe(self)
  })

  test.each([undefined, null, 'text', 7, {}, { self: 'not a URL' }, { self: 7 }])(
    '%j is not read as a session',
    (body) => {
      expect(readQosSession(body)).toBeUndefined()
    },
  )

  test('invalid items of a list are dropped', () => {
    const self = 'http://a.example/v1/x/subscriptions/42'
    expect(readQosSessions([{ self }, 'nonsense', null])).toHaveLength(1)
    expect(readQosSessions({ self })).toEqual([])
  })
})
