/** Software authenticator: creates passkeys and signs with them. @see WebAuthn level 3, section 6 */

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const ATTESTED = 0x40

interface Passkey {
  id: Buffer
  userHandle: string
  privateKey: KeyObject
}

interface CreationOptions {
  challenge: string
  rp: { id: string }
  user: { id: string }
}

interface RequestOptions {
  challenge: string
  rpId: string
}

export class SoftwareAuthenticator {
  readonly #origin: string
  #passkey: Passkey | undefined
  #counter = 0

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Returns the result of `navigator.credentials.create` as JSON. */
  create(json: unknown): string {
    const { challenge, rp, user } = json as CreationOptions
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const id = randomBytes(16)
    this.#passkey = { id, userHandle: user.id, privateKey }
    const jwk = publicKey.export({ format: 'jwk' })
    const coseKey = isoCBOR.encode(
      new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, decodeBase64url(jwk.x)],
        [-3, decodeBase64url(jwk.y)],
      ]),
    )
    const length = Buffer.alloc(2)
    length.writeUInt16BE(id.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey])
    const authData = this.#authData(rp.id, ATTESTED, attested)
    const attestationObject = isoCBOR.encode(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]) as never,
    )
    return this.#credential({
      clientDataJSON: this.#clientData('webauthn.create', challenge),
      attestationObject: encodeBase64url(attestationObject),
    })
  }

  /** Returns the result of `navigator.credentials.get` as JSON. */
  get(json: unknown): string {
    const { challenge, rpId } = json as RequestOptions
    if (!this.#passkey) throw new Error('there is no passkey')
    const clientDataJSON = this.#clientData('webauthn.get', challenge)
    const authenticatorData = this.#authData(rpId, 0)
    const clientHash = createHash('sha256')
      .update(Buffer.from(clientDataJSON, 'base64url'))
      .digest()
    const signed = Buffer.concat([authenticatorData, clientHash])
    return this.#credential({
      clientDataJSON,
      authenticatorData: encodeBase64url(authenticatorData),
      signature: encodeBase64url(sign('sha256', signed, this.#passkey.privateKey)),
      userHandle: this.#passkey.userHandle,
    })
  }

  #authData(rpId: string, flag: number, attested: Buffer = Buffer.alloc(0)): Buffer {
    this.#counter += 1
    const head = Buffer.alloc(5)
    head.writeUInt8(USER_PRESENT | USER_VERIFIED | flag)
    head.writeUInt32BE(this.#counter, 1)
    return Buffer.concat([createHash('sha256').update(rpId).digest(), head, attested])
  }

  #clientData(type: string, challenge: string): string {
    const data = { type, challenge, origin: this.#origin, crossOrigin: false }
    return encodeBase64url(Buffer.from(JSON.stringify(data)))
  }

  #credential(response: Record<string, string>): string {
    const id = encodeBase64url(this.#passkey?.id ?? Buffer.alloc(0))
    return JSON.stringify({
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response,
    })
  }
}

function encodeBase64url(data: Uint8Array): string {
  return Buffer.from(data).toString('base64url')
}

function decodeBase64url(value: string | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(value ?? '', 'base64url'))
}
