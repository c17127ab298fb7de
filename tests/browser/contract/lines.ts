/**
 * Maps the lines of the contract that are in no table, by their first words, to the tests that run them. Rows
 * of tables need no entry: a title begins with the method, the event, or the code and the error word.
 * `tests/shared/contract.node.test.ts` compares both with the contract.
 */

export const LINES: Readonly<Record<string, readonly string[]>> = {
  '- `detail` and everything in it is frozen': [
    'discovery: detail is frozen, with everything in it',
    'discovery: detail is { info, provider }, and info has its six members',
    'discovery: uuid is the same in one document and another in each',
    'discovery: icon is an image',
  ],
  '- The broker announces only as an answer': [
    'discovery: the broker announces only as an answer, once for each ask',
    'discovery: only a top-level document is answered',
    'discovery: only a secure context is answered',
    'discovery: only a site that is switched on is answered',
    'discovery: without asking there is no global and no element',
    'discovery: no file of the broker is web accessible',
  ],
  '- `shared/page/` holds a small client': [
    'discovery: findBroker resolves to undefined where there is none',
    'discovery: typed methods over request, and fetch returns a real Response',
  ],
  '- `issuer` names an authorization function': [
    'northbound_connect: an issuer that the broker does not know is not added',
  ],
  '- `resource` is the base URL': [
    'northbound_connect: issuer, apis of resource, scope and purpose, mode, clientId, reason and loginHint end in a Grant',
    'grantsChanged: { grants } as they are now, to the documents of that origin alone',
  ],
  "- `mode: 'fetch'` is the default": [
    'northbound_connect: the default mode is fetch, which releases no token',
    'northbound_getAccessToken: neither a refresh token, a code, a verifier, an ID token nor a private key reaches the page',
  ],
  '- `northbound_fetch` reaches only URLs': [
    'northbound_fetch: only under a granted resource, with a method that the API allows',
    'northbound_fetch: url alone is a GET, and the result has its five members',
    'northbound_fetch: a redirect is refused',
    'northbound_fetch: 5 MiB come back, and a byte more does not',
    'northbound_fetch: a body of more than 5 MiB is not sent, counted in bytes',
  ],
  '- What was granted may be less': [
    'northbound_connect: what is granted may be less than what was asked',
  ],
}
