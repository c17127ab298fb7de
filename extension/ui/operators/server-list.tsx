/**
 * Shows the servers that an operator may reach, with the use of each, to a user who has to decide on them. A server
 * at another origin than the issuer's is marked.
 */

import type { OperatorServer, ServerUse } from '../../../shared/messages/screen-channel.ts'

const USES: Record<ServerUse, string> = {
  issuer: 'describes the operator’s servers',
  signIn: 'you sign in there',
  tokens: 'gets sign-in codes, issues keys to your network',
  keys: 'publishes the operator’s signatures',
  requests: 'takes requests before you sign in',
  registration: 'registers sites',
  revocation: 'takes keys back',
  capif: 'core of the network',
  authorization: 'named by the operator, for sign-in codes, keys or notices',
  api: 'serves APIs',
}

export function ServerList({ servers }: { servers: OperatorServer[] }) {
  return (
    <ul class="plain servers" data-testid="servers">
      {servers.map(({ origin, uses, isForeign }) => (
        <li key={origin} data-origin={origin} data-foreign={isForeign}>
          <span class="address">{origin}</span>
          {isForeign && <strong class="elsewhere">Not at the issuer’s address</strong>}
          <span class="quiet">{uses.map((use) => USES[use]).join('; ')}</span>
        </li>
      ))}
    </ul>
  )
}
