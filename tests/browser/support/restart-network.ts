/** Restarts a network without its memory. */

import { startNetwork } from '../../../demo-site/network/index.ts'
import { REDIRECT_BASE } from '../../../extension/identity.ts'
import { CLIENT_ID, type Stage } from './stage.ts'

/** Starts the operator again at the addresses of the closed network, with new keys and empty stores. */
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
