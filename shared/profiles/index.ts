/** Lookup of the three protocol profiles by name. */

import type { ProfileName } from '../messages/operator-profile.ts'
import { camaraProfile } from './camara.ts'
import { capifProfile } from './capif.ts'
import { oauthProfile } from './oauth.ts'
import type { Profile } from './profile.ts'

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  oauth: oauthProfile,
  capif: capifProfile,
  camara: camaraProfile,
}

export function profileOf(server: { profile: ProfileName }): Profile {
  return PROFILES[server.profile]
}
