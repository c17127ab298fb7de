/** The popup: whether the site in front of the user may ask, and what is connected. */

import type { ConnectedSite, Site } from '../../../shared/messages/screen-channel.ts'
import { Connection } from '../connection.tsx'
import { Alert } from '../parts.tsx'
import type { ActivePage, ScreenClient } from '../screen-client.ts'
import { useBackground } from '../use-background.ts'
import { SiteSwitch } from './site-switch.tsx'

interface Shown {
  page: ActivePage | undefined
  site: Site | undefined
  grants: ConnectedSite[]
}

async function load(client: ScreenClient): Promise<Shown> {
  const page = await client.activePage()
  const [site, grants] = await Promise.all([
    page && client.ask('getSite', { origin: page.origin }),
    client.ask('listGrants', {}),
  ])
  const ofThisPage = (grant: ConnectedSite) => Number(grant.origin === page?.origin)
  return { page, site, grants: [...grants].sort((a, b) => ofThisPage(b) - ofThisPage(a)) }
}

export function Popup({ client }: { client: ScreenClient }) {
  const { data, error, busy, change } = useBackground(() => load(client))

  /** In the click itself: the browser asks only then, and may close this popup while it asks. */
  function use({ origin, permissions }: Site, { tabId }: ActivePage): void {
    void client.ask('proposeSite', { origin, tabId }).catch(() => {})
    const asked = client.requestPermissions(permissions)
    void change(async () => {
      if (await asked) await client.ask('useSite', { origin, tabId })
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
            onUse={() => data.site && data.page && use(data.site, data.page)}
            onStop={() =>
              void change(() => client.ask('stopSite', { origin: data.site?.origin ?? '' }))
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
                  void change(() => client.ask('revokeGrant', { grantId: site.grantId }))
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
