/**
 * Mutations of the core, one for each unit row of the catalogue: the source text that is replaced, and the test
 * file in which a test of that row has to fail.
 */

export interface Edit {
  file: string
  search: string
  replace: string
}

export interface Mutation {
  /** Id of the row. The tests with this id in their title are run. */
  row: string
  tests: string
  edits: Edit[]
}

const edit = (file: string, search: string, replace: string): Edit => ({
  file: `shared/${file}`,
  search,
  replace,
})

const breaks =
  (tests: string) =>
  (row: string, ...edits: Edit[]): Mutation => ({ row, tests: `tests/${tests}.test.ts`, edits })

const pkce = breaks('shared/core/pkce')
const request = breaks('shared/core/authorization-request')
const response = breaks('shared/core/authorization-response')
const token = breaks('shared/core/{token-endpoint,token-error-response}')
const limits = breaks('shared/oauth/limits')
const idToken = breaks('shared/oauth/{id-token,id-token-keys}')
const dpop = breaks('shared/oauth/{dpop,resource-request}')
const metadata = breaks('shared/oauth/metadata')
const camara = breaks('shared/profiles/camara')

const SIGNATURE = edit(
  'oauth/id-token.ts',
  'await verifyResponseSignature(metadata, response, effects)',
  'verifyResponseSignature',
)
const ANY_ALGORITHM = edit(
  'oauth/id-token.ts',
  'offered.filter((alg) => ALGORITHMS.includes(alg))',
  'offered',
)
const inResponse = (search: string, replace: string) =>
  edit('oauth/authorization-response.ts', search, replace)
const inTokens = (search: string, replace: string) =>
  edit('oauth/access-token-response.ts', search, replace)
const inIdToken = (search: string, replace: string) => edit('oauth/id-token.ts', search, replace)
const inDpop = (search: string, replace: string) => edit('oauth/dpop.ts', search, replace)
const inMetadata = (search: string, replace: string) => edit('oauth/metadata.ts', search, replace)
const FOLLOW = edit('oauth/http.ts', "redirect: 'manual'", "redirect: 'follow'")

export const MUTATIONS: Mutation[] = [
  pkce('P01', edit('oauth/base64url.ts', '0123456789-_', '0123456789+/')),
  pkce('P02', edit('core/pkce.ts', 'new Uint8Array(32)', 'new Uint8Array(16)')),
  pkce(
    'P03',
    edit(
      'core/pkce.ts',
      'crypto.getRandomValues(new Uint8Array(32))',
      'Uint8Array.from({ length: 32 }, () => Math.random() * 256)',
    ),
  ),
  metadata(
    'P05',
    inMetadata("!metadata.code_challenge_methods_supported?.includes('S256')", 'false'),
  ),
  request(
    'P07',
    edit(
      'oauth/authorization-request.ts',
      'for (const name of parameters.keys()) url.searchParams.delete(name)',
      '',
    ),
  ),
  request(
    'P08',
    edit(
      'core/begin-authorization.ts',
      'dpopJkt: flow.dpopJkt,\n  })',
      'dpopJkt: flow.dpopJkt, ...request, })',
    ),
    edit(
      'oauth/authorization-request.ts',
      'dpop_jkt: request.dpopJkt,',
      'dpop_jkt: request.dpopJkt, response_mode: request.responseMode,',
    ),
  ),
  request(
    'P10',
    edit('core/begin-authorization.ts', 'state: randomValue()', 'state: codeChallenge.slice(0, 8)'),
  ),
  camara('P14', edit('profiles/camara.ts', 'more.length > 0 || ', '')),
  request('P15', edit('oauth/scope.ts', 'SCOPE.test(value)', 'value.length > 0')),

  response('R05', inResponse("parameters.get('state') !== expected.state", 'false')),
  response(
    'R06',
    inResponse(
      "parameters.get('state') !== expected.state",
      "(parameters.get('state') || expected.state) !== expected.state",
    ),
  ),
  response('R07', inResponse('seen.has(name) && ONCE.includes(name)', 'false')),
  response('R08', inResponse('iss !== issuer', 'false')),
  response('R09', inResponse('? required :', '? false :')),
  response('R10', inResponse('iss !== issuer', 'new URL(iss).href !== new URL(issuer).href')),
  response(
    'R11',
    inResponse('iss === null ? required : iss !== issuer', 'required && iss !== issuer'),
  ),
  response('R13', edit('core/servers.ts', 'issuers.size === servers.length', 'true')),
  response('R14', inResponse('iss === null ? required : iss !== issuer', 'false')),
  response('R20', inResponse("parameters.has('code') && parameters.has('error')", 'false')),
  response(
    'R21',
    edit(
      'oauth/error.ts',
      'const description = sanitizeServerText(details.errorDescription)',
      'const description = details.errorDescription',
    ),
  ),
  response(
    'R22',
    inResponse('arrivedAt !== expected.redirectUri', '!url.startsWith(expected.redirectUri)'),
  ),
  response(
    'R23',
    edit(
      'core/flow.ts',
      'if (now > state.deadlineMs) return failFlow(state, flowExpired())\n  try',
      'try',
    ),
  ),
  response(
    'R28',
    edit(
      'core/flow.ts',
      'callbackUrl: url }',
      "callbackUrl: url, returnTo: new URL(url).searchParams.get('return_to') }",
    ),
  ),

  token('T01', FOLLOW),
  token('T02', edit('oauth/url-policy.ts', 'isLoopbackHost(url.hostname)', 'true')),
  token(
    'T03',
    edit('oauth/json-response.ts', '!types.includes(parseMediaType(contentType))', 'false'),
  ),
  limits('T04', edit('oauth/http.ts', '256 * 1024', '1024 * 1024')),
  token(
    'T05',
    inTokens(
      'const body = readJsonObject(response, TOKEN_ENDPOINT)',
      'const body = Object.assign({}, readJsonObject(response, TOKEN_ENDPOINT))',
    ),
  ),
  token('T06', edit('oauth/opaque-values.ts', '/^[\\x21-\\x7e]+$/', '/[^]/')),
  token('T07', inTokens('value.toLowerCase()', 'value')),
  token('T08', inTokens("if (word !== 'bearer' && word !== 'dpop')", 'if (false)')),
  token('T09', inTokens("binding === 'none' : binding === 'required'", 'false : false')),
  token('T10', inTokens('Math.min(Math.floor(seconds), LIFETIME_LIMIT_SECONDS)', 'seconds')),
  token('T11', edit('oauth/scope.ts', '.filter((word) => words.has(word))', '')),
  token(
    'T12',
    edit('core/granted-apis.ts', '{ ...api, scope }', '{ ...api, scope: grantedScope }'),
  ),
  token(
    'T15',
    edit(
      'oauth/error-response.ts',
      'errorDescription: redactSecrets(errorResponse.errorDescription, secrets)',
      'errorDescription: new TextDecoder().decode(response.octets)',
    ),
  ),
  token(
    'T16',
    edit(
      'oauth/http.ts',
      '      fetch(url, {',
      '      fetch(url, request).catch(() => 0); fetch(url, {',
    ),
  ),
  token('T17', edit('oauth/http.ts', "credentials: 'omit'", "credentials: 'include'")),
  token(
    'T19',
    edit(
      'oauth/error-response.ts',
      'redactSecrets(errorResponse.errorDescription, secrets)',
      'errorResponse.errorDescription',
    ),
  ),

  idToken('J01', SIGNATURE, ANY_ALGORITHM),
  idToken('J02', SIGNATURE, ANY_ALGORITHM),
  idToken('J03', inIdToken('offered.filter((alg) => ALGORITHMS.includes(alg))', '[...ALGORITHMS]')),
  idToken('J04', SIGNATURE),
  breaks('vectors/jws')('J05', SIGNATURE),
  breaks('vectors/rfc7520')('J06', SIGNATURE),
  idToken(
    'J07',
    inIdToken('type IDToken,', 'type IDToken, _expectedIssuer,'),
    inIdToken(
      'processAuthorizationCodeResponse(metadata, client',
      'processAuthorizationCodeResponse({ ...metadata, [_expectedIssuer]: (r) => r.claims.iss }, client',
    ),
  ),
  idToken('J08', inIdToken('claims.aud.length !== 1', 'claims.aud.length > 9')),
  idToken(
    'J09',
    inIdToken('claims.azp !== undefined && claims.azp !== expected.clientId', 'false'),
  ),
  idToken(
    'J10',
    edit('oauth/effects.ts', 'CLOCK_TOLERANCE_SECONDS = 30', 'CLOCK_TOLERANCE_SECONDS = 3600'),
  ),
  idToken('J11', inIdToken('claims.iat > latest', 'false')),
  idToken(
    'J12',
    inIdToken(
      '{ expectedNonce: nonce }',
      "{ expectedNonce: JSON.parse(atob((await response.clone().json()).id_token.split('.')[1])).nonce ?? nonce }",
    ),
  ),
  idToken('J13', inIdToken('claims.at_hash !== hash', 'false')),
  idToken('J14', inIdToken("claims.sub === '' ||", '')),
  idToken('J15', inIdToken('if (hasDuplicateMembers(text, header))', 'if (false)')),
  idToken(
    'J16',
    inIdToken(
      'await verifyResponseSignature(metadata, response, effects)',
      "if (!atob(idToken.split('.')[0]).includes('jwk')) await verifyResponseSignature(metadata, response, effects)",
    ),
  ),
  idToken('J17', edit('oauth/jwks.ts', '.slice(0, KEYS_LIMIT)', '.slice(0, 1)')),
  idToken('J18', edit('oauth/jwks.ts', 'if (newer === undefined) throw error', 'throw error')),
  idToken(
    'J19',
    edit('oauth/jwks.ts', 'isWithin(COOLDOWN_SECONDS, missedAt, effects)', 'false'),
    edit('oauth/jwks.ts', 'if (!wasCached) return undefined', ''),
  ),
  idToken('J20', edit('oauth/jwks.ts', '&& key.d === undefined', '')),
  idToken('J21', inIdToken('claims.sub !== previous.sub ||', '')),
  idToken('J23', inIdToken('if (typ !== undefined && !plain)', 'if (false)')),

  dpop('D01', inDpop("namedCurve: 'P-256'", "namedCurve: 'P-384'")),
  dpop('D02', inDpop('Object.assign(payload, claims)', 'payload.htu = url.href')),
  dpop(
    'D03',
    edit(
      'oauth/resource-request.ts',
      "headers.set('authorization',",
      "headers.set('authorization', 'Bearer ' + accessToken); void (0,",
    ),
  ),
  dpop('D04', inDpop('Object.assign(payload, claims)', "payload.jti = 'same'")),
  dpop('D05', inDpop('!(await isNonceRequired(response))', 'true')),
  dpop('D06', inDpop("scheme === 'dpop' &&", "scheme === 'DPoP' &&")),
  dpop('D07', inDpop('const retried = await send()', 'await send(); const retried = await send()')),
  dpop('D08', inDpop('storeNonce(key, url, response)', 'storeNonce')),
  dpop(
    'D09',
    inDpop('key.nonces.set(url.origin, nonce)', "key.nonces.set('one', nonce)"),
    inDpop('const nonce = key.nonces.get(url.origin)', "const nonce = key.nonces.get('one')"),
  ),
  dpop('D10', inDpop('isDpopNonce(nonce)', 'nonce !== null')),
  dpop('D12', inDpop('options.extractable === true', 'true')),
  dpop('D13', inDpop('if (actual === expectedThumbprint) return', 'return')),
  dpop(
    'D14',
    inDpop('return { privateKey: pair', 'return globalThis.oneKey ??= { privateKey: pair'),
  ),
  dpop('D16', edit('profiles/camara.ts', '.encode(data)', ".encode(data.replaceAll(' ', ''))")),
  request(
    'D17',
    edit(
      'core/begin-authorization.ts',
      '...(dpop && { dpopJkt: await dpopThumbprint(dpop) }),',
      '',
    ),
  ),
  dpop(
    'D18',
    edit(
      'oauth/resource-request.ts',
      'await proofFor(request, key, effects)',
      '(globalThis.oneProof ??= await proofFor(request, key, effects))',
    ),
  ),
  dpop(
    'D19',
    edit(
      'oauth/resource-request.ts',
      'const redirected =',
      "if (response.status === 401) await effects.fetch(url.href, { headers: { authorization: 'Bearer ' + accessToken } })\n  const redirected =",
    ),
  ),

  metadata(
    'M-01',
    inMetadata(
      'document.issuer === issuer',
      'URL.canParse(document.issuer) && new URL(document.issuer).href === new URL(issuer).href',
    ),
  ),
  metadata(
    'M-02',
    inMetadata('requireSecureUrl(members[name], name, effects)', 'new URL(members[name])'),
  ),
  metadata('M-03', inMetadata('        algorithm,', "        algorithm: 'oidc',")),
  metadata('M-04', FOLLOW),
  metadata(
    'M-05',
    edit(
      'core/redeem-code.ts',
      'import { profileOf }',
      "import { discover } from './discover.ts'\nimport { profileOf }",
    ),
    edit(
      'core/redeem-code.ts',
      'const { server, metadata, clientId } = flow',
      'const { server, clientId } = flow; const metadata = await discover(server, effects)',
    ),
  ),
  metadata('M-06', edit('core/client.ts', 'server.issuer === metadata.issuer', 'true')),
  metadata('M-07', inMetadata('if (!strings)', 'if (false)')),
]
