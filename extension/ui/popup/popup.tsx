/** The popup: which sites are connected, and the end of a connection with one click. */

import { useEffect, useState } from 'preact/hooks'
import type { ConnectedSite } from '../../../shared/messages/screen-channel.ts'
import type { ScreenClient } from '../screen-client.ts'

export function Popup({ client }: { client: ScreenClient }) {
  const [sites, setSites] = useState<ConnectedSite[]>()

  async function load(): Promise<void> {
    setSites(await client.ask('listGrants', {}))
  }

  async function revoke(grantId: string): Promise<void> {
    await client.ask('revokeGrant', { grantId })
    await load()
  }

  useEffect(() => void load(), [])

  return (
    <>
      <h1>Connected sites</h1>
      {sites?.length === 0 && (
        <p class="card quiet">
          None yet. A site that wants to use your mobile network asks first, in a window like this.
        </p>
      )}
      <ul class="apis">
        {sites?.map((site) => (
          <li key={site.grantId} class="card site">
            <span>
              <strong>{site.applicationName}</strong>
              <span class="origin">{site.origin}</span>
              <span class="quiet">
                {site.operatorName}, until {new Date(site.expiresAt).toLocaleString()}
              </span>
            </span>
            <button type="button" onClick={() => void revoke(site.grantId)}>
              Disconnect
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
