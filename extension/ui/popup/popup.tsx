/** Shows the popup: the state of the active site, and the connections. */

import type { ConnectedSite, Site } from '../../../shared/messages/screen-channel.ts'
import { Connection } from '../connection.tsx'
import { Alert } from '../parts.tsx'
import type { ActivePage, ScreenClient } from '../screen-client.ts'
import { useBackground } from '../use-background.ts'
import { SiteSwitch } from './site-switch.tsx'

interface PopupData {
  page: ActivePage | undefined
  site: Site | undefined
  grants: ConnectedSite[]
}

async function loadPopup(client: ScreenClient): Promise<PopupData> {
  const page = await client.findActivePage()
  const [site, grants] = await Promise.all([
    page && client.sendRequest('getSite', page),
    client.sendRequest('listGrants', {}),
  ])
  const getRank = (grant: ConnectedSite) => Number(grant.origin === page?.origin)
  return { page, site, grants: [...grants].sort((a, b) => getRank(b) - getRank(a)) }
}

export function Popup({ client }: { client: ScreenClient }) {
  const { data, error, busy, applyChange } = useBackground(() => loadPopup(client))

  function enableSite({ origin, permissions }: Site, { tabId }: ActivePage): void {
    const permissionRequest = client.requestPermissions(permissions, { origin, tabId })
    void applyChange(async () => {
      if (await permissionRequest) await client.sendRequest('useSite', { origin, tabId })
    })
  }

  return (
    <>
      <h1>Northkey</h1>
      <Alert text={error} />
      {!data && !error && <p class="quiet">Loading …</p>}
      {data && (
        <>
          <SiteSwitch
            site={data.site}
            busy={busy}
            onUse={() => data.site && data.page && enableSite(data.site, data.page)}
            onStop={() =>
              void applyChange(() =>
                client.sendRequest('stopSite', { origin: data.site?.origin ?? '' }),
              )
            }
          />
          <h2>Connected</h2>
          {data.grants.length === 0 && (
            <p class="card quiet">
              No site yet. A site that wants to use your mobile network asks first, in a window of
              its own.
            </p>
          )}
          <ul>
            {data.grants.map((site) => (
              <Connection
                key={site.grantId}
                site={site}
                busy={busy}
                onEnd={() =>
                  void applyChange(() =>
                    client.sendRequest('revokeGrant', { grantId: site.grantId }),
                  )
                }
              />
            ))}
          </ul>
        </>
      )}
      <nav class="below" aria-label="More">
        <a href="../sites/index.html" target="_blank" rel="noopener">
          Sites and log
        </a>
        <a href="../operators/index.html" target="_blank" rel="noopener">
          Operators
        </a>
      </nav>
    </>
  )
}
