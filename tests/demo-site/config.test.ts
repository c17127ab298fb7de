/** Validation of `/config.json`: an error names the member and does not repeat its value. */

import { describe, expect, test } from 'vitest'
import { loadConfig, parseConfig } from '../../demo-site/app/config.ts'

const config = {
  issuer: 'http://localhost:4400',
  resource: 'http://127.0.0.1:4401/3gpp-as-session-with-qos/v1',
  scope: '3gpp-as-session-with-qos',
  scsAsId: 'skyframe',
}

describe('parseConfig', () => {
  test('unknown members are dropped', () => {
    expect(parseConfig({ ...config, extra: 1 })).toEqual(config)
  })

  test.each(['issuer', 'resource', 'scope', 'scsAsId'])('%s is required', (name) => {
    expect(() => parseConfig({ ...config, [name]: undefined })).toThrow(`"${name}"`)
    expect(() => parseConfig({ ...config, [name]: '' })).toThrow(`"${name}"`)
  })

  test.each(['purpose', 'clientId', 'qosReference'])('%s is a string or absent', (name) => {
    expect(() => parseConfig({ ...config, [name]: 7 })).toThrow(`"${name}": expected a string`)
    expect(parseConfig({ ...config, [name]: 'x' })).toHaveProperty(name, 'x')
  })

  test.each(['javascript:alert(1)', 'no URL', 'file:///secret'])(
    'an issuer or resource such as %s is rejected, and not repeated in the message',
    (value) => {
      for (const name of ['issuer', 'resource', 'streamUrl']) {
        const parseBadConfig = () => parseConfig({ ...config, [name]: value })
        expect(parseBadConfig).toThrow(`"${name}": expected an http or https URL`)
        expect(parseBadConfig).not.toThrow(value)
      }
    },
  )

  test.each([null, [], 'text', 7])('%j is rejected', (value) => {
    expect(() => parseConfig(value)).toThrow('expected a JSON object')
  })

  test('an error status of the server is part of the message', async () => {
    const fetchNotFound = async () => new Response('', { status: 404 })
    await expect(loadConfig(fetchNotFound)).rejects.toThrow('/config.json: the server answered 404')
  })
})
