/** A network that comes back without its memory. */

import { startNetwork } from '../../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../../extension/identity.ts'
import { CLIENT_ID, type Stage } from './stage.ts'

/** Starts the same operator at the addresses of the one that was closed, with new keys and nothing remembered. */
export async function restartNetwork(stage: Stage): Promise<void> {
  const { issuer, apisOrigin, userPlaneOrigin } = stage.network
  const portOf = (url: string) => Number(new URL(url).port)
  stage.network = await startNetwork({
    applications: [
      { clientId: CLIENT_ID, name: 'Cloud gaming', origins: [stage.application.origin] },
    ],
    redirectBases: Object.values(REDIRECT_BASE),
    ports: {
      authorization: portOf(issuer),
      apis: portOf(apisOrigin),
      userPlane: portOf(userPlaneOrigin),
    },
  })
}
