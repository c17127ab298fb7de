/** Settings of the authorization server of one issuer, and the stores that it shares with the network. */

import type { ProfileName } from '../../../shared/messages/operator-profile.ts'
import type { AccessNetwork } from '../access-network.ts'
import type { NetworkOptions } from '../options.ts'
import type { SubscriberDirectory } from '../subscribers.ts'
import type { TextMessages } from '../text-messages.ts'
import type { Authorizations } from './authorizations.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { Passkeys } from './passkeys.ts'

export interface AuthorizationServerSettings {
  issuer: string
  profile: ProfileName
  apisOrigin: string
  options: NetworkOptions
  subscribers: SubscriberDirectory
  tokens: IssuedTokens
  authorizations: Authorizations
  network: AccessNetwork
  messages: TextMessages
  passkeys: Passkeys
}
