/** Configures a new Glewlwyd by its administration API: scopes, the OpenID Connect plugin, a user and a client. */

import { generateKeyPairSync } from 'node:crypto'

const API = 'http://localhost:8186/api'
const HASH = 'VZqJOXxiYTagJkEOapkpSQ'

let cookie = ''

async function send(method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${API}/${path}`, {
    method,
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  const [session] = answer.headers.getSetCookie()
  if (session) cookie = session.split(';')[0] ?? ''
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

await send('POST', 'auth/', { username: 'admin', password: 'password' })
for (const [name, display_name] of [
  ['qod', 'Faster data session'],
  ['location', 'Location of your phone'],
]) {
  await send('POST', 'scope/', {
    name,
    display_name,
    password_required: true,
    password_max_age: 0,
    scheme: {},
  })
}
await send('POST', 'mod/plugin/', {
  module: 'oidc',
  name: 'oidc',
  display_name: 'OpenID Connect',
  parameters: {
    iss: 'http://localhost:8186/api/oidc',
    'jwt-type': 'rsa',
    'jwt-key-size': '256',
    key: privateKey,
    cert: publicKey,
    'access-token-duration': 60,
    'refresh-token-duration': 86_400,
    'code-duration': 60,
    'refresh-token-rolling': true,
    'allow-non-oidc': true,
    'auth-type-code-enabled': true,
    'auth-type-token-enabled': false,
    'auth-type-none-enabled': false,
    'auth-type-refresh-enabled': true,
    'pkce-allowed': true,
    'pkce-method-plain-allowed': false,
    'introspection-revocation-allowed': true,
    'introspection-revocation-allow-target-client': true,
    'oauth-par-allowed': true,
    'oauth-par-request_uri-prefix': 'urn:ietf:params:oauth:request_uri:',
    'oauth-par-duration': 90,
    'oauth-as-iss-id': true,
    'subject-type': 'public',
    'resource-allowed': true,
    'resource-scope': {
      qod: ['http://localhost:5181/qod/v1'],
      location: ['http://localhost:5181/location/v1'],
    },
  },
})
await send('POST', 'user/?source=database', {
  username: 'alice',
  password: 'correct horse',
  name: 'Alice',
  scope: ['openid', 'qod', 'location'],
  enabled: true,
})
await send('POST', 'client/?source=database', {
  client_id: 'interop-app',
  name: 'Interop application',
  confidential: false,
  enabled: true,
  redirect_uri: [
    `https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/${HASH}`,
    `https://83f425f2377c3d66489666a028ecfaceffcf6e28.extensions.allizom.org/${HASH}`,
  ],
  authorization_type: ['code', 'refresh_token', 'delete_token'],
  token_endpoint_auth_method: ['none'],
})
console.log('Glewlwyd is ready')
