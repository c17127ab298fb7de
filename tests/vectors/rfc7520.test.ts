/** The JWS examples of RFC 7520, and ID tokens signed with their keys. */

import { compactVerify, importJWK, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { failure } from '../shared/support/failure.ts'
import { CLAIMS, check, sign } from '../shared/support/id-tokens.ts'
import { vectors } from './rfc7520.ts'

const asymmetric = vectors.filter(({ alg }) => alg !== 'HS256')

function publicHalf({ kty, kid, use, n, e, crv, x, y }: JWK): JWK {
  return JSON.parse(JSON.stringify({ kty, kid, use, n, e, crv, x, y }))
}

/** An ID token of the test, signed with a key of the cookbook. */
async function idTokenBy(alg: string, key: JWK): Promise<string> {
  const privateKey = (await importJWK(key, alg)) as CryptoKey
  return sign({ alg, privateKey, publicKey: privateKey, jwk: key })
}

describe.each(asymmetric)('RFC 7520 section $section ($alg)', ({ alg, key, compact }) => {
  const jwk = publicHalf(key as JWK)
  const metadata = { id_token_signing_alg_values_supported: [alg] }

  test('the example verifies with its key, and not with a changed last octet', async () => {
    const publicKey = await importJWK(jwk, alg)
    const { payload } = await compactVerify(compact, publicKey)
    expect(new TextDecoder().decode(payload)).toMatch(/^It’s a dangerous business, Frodo/)
    const [header, body, signature = ''] = compact.split('.')
    const changed = `${header}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    await expect(compactVerify(changed, publicKey)).rejects.toThrow()
  })

  test('J06: an ID token signed with the key of the example is accepted with its public key only', async () => {
    const idToken = await idTokenBy(alg, key as JWK)
    expect((await check(idToken, { keys: [jwk], metadata })).sub).toBe(CLAIMS.sub)
    const error = await failure(check(idToken, { keys: [key], metadata }))
    expect(error.code).toBe('invalid_id_token')
  })

  test('J06: the signature of the example is rejected with other claims', async () => {
    const [header, body] = (await idTokenBy(alg, key as JWK)).split('.')
    const signature = compact.split('.')[2]
    const error = await failure(check(`${header}.${body}.${signature}`, { keys: [jwk], metadata }))
    expect(error.code).toBe('invalid_id_token')
  })

  test('the example itself is not an ID token: its payload is a sentence', async () => {
    expect((await failure(check(compact, { keys: [jwk], metadata }))).code).toBe('invalid_id_token')
  })
})

test('RFC 7520 section 4.4 (HS256): an ID token signed with a shared secret is rejected', async () => {
  const { key, alg } = vectors.find((vector) => vector.alg === 'HS256') as (typeof vectors)[number]
  const secret = await crypto.subtle.importKey(
    'jwk',
    { kty: 'oct', k: (key as JWK).k as string },
    { name: 'HMAC', hash: 'SHA-256' },
    true,
    ['sign'],
  )
  const idToken = await sign({ alg, privateKey: secret, publicKey: secret, jwk: key as JWK })
  const metadata = { id_token_signing_alg_values_supported: ['HS256', 'RS256'] }
  expect((await failure(check(idToken, { keys: [key], metadata }))).code).toBe('invalid_id_token')
})
