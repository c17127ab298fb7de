/**
 * JWS manipulations of the kinds in Wycheproof's `json_web_signature`. Each case changes a valid token; the first
 * test shows that the unchanged tokens are valid.
 */

import { beforeAll, describe, expect, test } from 'vitest'
import { fromBase64url } from '../../shared/oauth/base64url.ts'
import { failure } from '../shared/support/failure.ts'
import {
  check,
  createTestKey,
  encodeBytes,
  sign,
  type TestKey,
} from '../shared/support/id-tokens.ts'

let key: TestKey
let rsa: TestKey
let good: string
let goodRsa: string

const metadata = { id_token_signing_alg_values_supported: ['ES256', 'RS256', 'PS256'] }

beforeAll(async () => {
  key = await createTestKey('ES256', 'k1')
  rsa = await createTestKey('RS256', 'k2')
  good = await sign(key)
  goodRsa = await sign(rsa)
})

const keys = () => [key.jwk, rsa.jwk]
const parts = (token: string) => token.split('.') as [string, string, string]
const text = (value: string) => encodeBytes(new TextEncoder().encode(value))

test('J05: the unchanged tokens of the cases are valid', async () => {
  for (const token of [good, goodRsa]) {
    expect((await check(token, { keys: keys(), metadata })).sub).toBe('subscriber-1')
  }
})

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
const hex = (value: string) =>
  Uint8Array.from(value.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const concatenated = (...arrays: Uint8Array[]) => Uint8Array.from(arrays.flatMap((a) => [...a]))
const zero = new Uint8Array(32)
const one = hex('01'.padStart(64, '0'))
const order = hex(ORDER)

/** The same signature in ASN.1 encoding. */
function der(signature: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array) => {
    const from = bytes.findIndex((byte) => byte !== 0)
    const trimmed = [...bytes.slice(from)]
    if ((trimmed[0] ?? 0) > 127) trimmed.unshift(0)
    return [2, trimmed.length, ...trimmed]
  }
  const body = [...integer(signature.slice(0, 32)), ...integer(signature.slice(32))]
  return Uint8Array.from([0x30, body.length, ...body])
}

type Case = [what: string, change: (token: string) => string | Promise<string>]

const SIGNATURES: Case[] = [
  ['r and s are zero', () => encodeBytes(concatenated(zero, zero))],
  ['r is zero, s is one', () => encodeBytes(concatenated(zero, one))],
  ['r is one, s is zero', () => encodeBytes(concatenated(one, zero))],
  ['r and s are one', () => encodeBytes(concatenated(one, one))],
  ['r and s are the order', () => encodeBytes(concatenated(order, order))],
  ['r is the order, s is zero', () => encodeBytes(concatenated(order, zero))],
  ['it is empty', () => ''],
  ['it is one octet', () => 'AA'],
  ['it lacks its last octet', (s) => encodeBytes((fromBase64url(s) as Uint8Array).slice(0, -1))],
  [
    'it has an octet more',
    (s) => encodeBytes(concatenated(fromBase64url(s) as Uint8Array, one.slice(31))),
  ],
  [
    'r and s are exchanged',
    (s) => {
      const bytes = fromBase64url(s) as Uint8Array
      return encodeBytes(concatenated(bytes.slice(32), bytes.slice(0, 32)))
    },
  ],
  ['it is in ASN.1', (s) => encodeBytes(der(fromBase64url(s) as Uint8Array))],
  [
    'each bit is inverted',
    (s) => encodeBytes((fromBase64url(s) as Uint8Array).map((b) => b ^ 255)),
  ],
]

describe('J05: an ECDSA signature is rejected when', () => {
  test.each(SIGNATURES)('%s', async (_what, change) => {
    const [header, payload, signature] = parts(good)
    const token = `${header}.${payload}.${await change(signature)}`
    expect((await failure(check(token, { keys: keys(), metadata }))).code).toBe('invalid_id_token')
  })
})

describe('J05: an RSA signature is rejected when', () => {
  test.each<Case>([
    ['it is empty', () => ''],
    ['it is zero', () => encodeBytes(new Uint8Array(256))],
    ['it is one', () => encodeBytes(concatenated(new Uint8Array(255), one.slice(31)))],
    ['it lacks its last octet', (s) => encodeBytes((fromBase64url(s) as Uint8Array).slice(0, -1))],
    [
      'it has a zero before it',
      (s) => encodeBytes(concatenated(zero.slice(31), fromBase64url(s) as Uint8Array)),
    ],
    [
      'a bit is inverted',
      (s) => encodeBytes((fromBase64url(s) as Uint8Array).map((b, i) => (i === 99 ? b ^ 1 : b))),
    ],
  ])('%s', async (_what, change) => {
    const [header, payload, signature] = parts(goodRsa)
    const token = `${header}.${payload}.${await change(signature)}`
    expect((await failure(check(token, { keys: keys(), metadata }))).code).toBe('invalid_id_token')
  })

  test('it is PKCS 1.5 and the header says PSS', async () => {
    const [, payload, signature] = parts(goodRsa)
    const token = `${text('{"alg":"PS256","kid":"k2"}')}.${payload}.${signature}`
    expect((await failure(check(token, { keys: keys(), metadata }))).code).toBe('invalid_id_token')
  })

  test('its key has 1024 bits', async () => {
    const pair = await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ['sign', 'verify'],
    )
    const input = parts(goodRsa).slice(0, 2).join('.')
    const signature = await crypto.subtle.sign(
      'RSASSA-PKCS1-v1_5',
      pair.privateKey,
      new TextEncoder().encode(input),
    )
    const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k2' }
    const { key_ops: _ops, ext: _ext, ...plain } = jwk
    const token = `${input}.${encodeBytes(new Uint8Array(signature))}`
    expect((await failure(check(token, { keys: [plain], metadata }))).code).toBe('invalid_id_token')
  })
})

describe('J05: the compact form is rejected when', () => {
  test.each<[string, (token: string) => string]>([
    ['it has four parts', (t) => `${t}.`],
    ['it has two parts', (t) => t.split('.').slice(0, 2).join('.')],
    ['its header is empty', (t) => `.${t.split('.').slice(1).join('.')}`],
    ['its payload is empty', (t) => t.replace(/\.[^.]+\./, '..')],
    ['its header has padding', (t) => t.replace('.', '=.')],
    ['its header has white space', (t) => t.replace('.', ' .')],
    ['its header has a line break', (t) => `${t.slice(0, 4)}\n${t.slice(4)}`],
    ['its header is of the other alphabet', (t) => t.replace('.', '+.')],
    [
      'it is in JSON form',
      (t) => {
        const [p, payload, signature] = parts(t)
        return JSON.stringify({ protected: p, payload, signature })
      },
    ],
  ])('%s', async (_what, change) => {
    const error = await failure(check(change(good), { keys: keys(), metadata }))
    expect(error.code).toBe('invalid_id_token')
  })

  test('its payload was changed in one character', async () => {
    const [header, payload, signature] = parts(good)
    const changed = payload.startsWith('e') ? `f${payload.slice(1)}` : `e${payload.slice(1)}`
    const token = `${header}.${changed}.${signature}`
    expect((await failure(check(token, { keys: keys(), metadata }))).code).toBe('invalid_id_token')
  })
})

describe('J05: a key is not used when', () => {
  test.each<[string, (jwk: Record<string, unknown>) => unknown]>([
    ['its use is encryption', (jwk) => ({ ...jwk, use: 'enc' })],
    ['its operations do not include verify', (jwk) => ({ ...jwk, key_ops: ['encrypt'] })],
    ['its algorithm is another', (jwk) => ({ ...jwk, alg: 'ES384' })],
    ['its curve is another', (jwk) => ({ ...jwk, crv: 'P-384' })],
    ['its type is another', (jwk) => ({ ...jwk, kty: 'OKP' })],
    ['its kid is another', (jwk) => ({ ...jwk, kid: 'K1' })],
    ['its point is not on the curve', (jwk) => ({ ...jwk, y: jwk.x })],
    ['its point lacks a half', ({ y: _y, ...jwk }) => jwk],
    ['it has its private half', (jwk) => ({ ...jwk, d: jwk.x })],
  ])('%s', async (_what, change) => {
    const jwks = [change(key.jwk as Record<string, unknown>)]
    expect((await failure(check(good, { keys: jwks, metadata }))).code).toBe('invalid_id_token')
  })

  test('another algorithm of the same key is in the header', async () => {
    const [, payload, signature] = parts(good)
    for (const alg of ['ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'HS256', 'none', 'es256']) {
      const token = `${text(JSON.stringify({ alg, kid: 'k1' }))}.${payload}.${signature}`
      const error = await failure(check(token, { keys: keys(), metadata }))
      expect(error.code).toBe('invalid_id_token')
    }
  })
})
