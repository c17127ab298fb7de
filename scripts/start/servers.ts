/** Starts the servers of the demonstration: the web server of the UE application, and the network. */

import type { DemoSiteConfig } from '../../demo-site/app/config.ts'
import { type Network, startNetwork } from '../../demo-site/network/index.ts'
import { type DemoSite, startDemoSite } from '../../demo-site/server/index.ts'
import { REDIRECT_BASE } from '../../extension/identity.ts'

const API = '3gpp-as-session-with-qos'

/** UE application, as it is pre-registered at the operator. */
const APPLICATION = { clientId: 'skyframe', name: 'Skyframe' }

export interface Servers {
  site: DemoSite
  network: Network
  config: DemoSiteConfig
  close(): Promise<void>
}

function createSiteConfig(network: Network): DemoSiteConfig {
  const profile = network.operatorProfiles.find(({ issuer }) => issuer === network.issuer)
  const api = profile?.apis.find(({ resource }) => resource.includes(API))
  const scope = api?.scopes[0]?.scope
  if (!api || scope === undefined) throw new Error(`the network exposes no ${API}`)
  const [purpose] = api.purposes ?? []
  return {
    issuer: network.issuer,
    resource: api.resource,
    scope,
    ...(purpose === undefined ? {} : { purpose }),
    clientId: APPLICATION.clientId,
    scsAsId: APPLICATION.clientId,
    streamUrl: `${network.userPlaneOrigin}/stream`,
  }
}

/**
 * @param port First of four consecutive ports. Default: free ports.
 * @param root Folder of the built page. Default: `dist/demo-site`.
 */
export async function startServers(port?: number, root?: string): Promise<Servers> {
  let config: DemoSiteConfig | undefined
  // The network needs the origin of the page, so the server of the page starts first.
  const site = await startDemoSite({
    ...(port === undefined ? {} : { port }),
    ...(root === undefined ? {} : { root }),
    config: () => {
      if (config === undefined) throw new Error('the network has not started yet')
      return config
    },
  })
  try {
    const network = await startNetwork({
      ...(port === undefined
        ? {}
        : { ports: { authorization: port + 1, apis: port + 2, userPlane: port + 3 } }),
      applications: [{ ...APPLICATION, origins: [site.origin] }],
      redirectBases: Object.values(REDIRECT_BASE),
    })
    config = createSiteConfig(network)
    return {
      site,
      network,
      config,
      close: async () => {
        await Promise.all([site.close(), network.close()])
      },
    }
  } catch (error) {
    await site.close()
    throw error
  }
}
