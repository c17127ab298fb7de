/** Shows the sites that the user switched on, all connections, and the log. */

import { Connection } from '../connection.tsx'
import { Alert, Frame } from '../parts.tsx'
import type { ScreenClient } from '../screen-client.ts'
import { useBackground } from '../use-background.ts'
import { Log } from './log.tsx'

async function loadSites(client: ScreenClient) {
  const [sites, grants, log] = await Promise.all([
    client.sendRequest('listSites', {}),
    client.sendRequest('listGrants', {}),
    client.sendRequest('readLog', {}),
  ])
  return { sites, grants, log }
}

export function Sites({ client }: { client: ScreenClient }) {
  const { data, error, busy, applyChange } = useBackground(() => loadSites(client))

  return (
    <Frame title="Sites and log" here="sites">
      <Alert text={error} />
      {!data && !error && <p class="quiet">Loading …</p>}
      {data && (
        <>
          <section aria-labelledby="sites-title">
            <h2 id="sites-title">Sites that may ask</h2>
            {data.sites.length === 0 && (
              <p class="card quiet">
                None. Open a site, then choose “Use Northkey on this site” behind the Northkey
                button of your browser.
              </p>
            )}
            <ul>
              {data.sites.map(({ origin }) => (
                <li key={origin} class="card site" data-testid="allowed-site">
                  <span class="origin">{origin}</span>
                  <button
                    type="button"
                    disabled={busy}
                    aria-label={`Stop using Northkey on ${origin}`}
                    onClick={() =>
                      void applyChange(() => client.sendRequest('stopSite', { origin }))
                    }
                  >
                    Stop
                  </button>
                </li>
              ))}
            </ul>
          </section>

          <section aria-labelledby="connections-title">
            <h2 id="connections-title">Connections</h2>
            {data.grants.length === 0 && <p class="card quiet">No site is connected.</p>}
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
          </section>

          <Log
            entries={data.log}
            busy={busy}
            onClear={() => void applyChange(() => client.sendRequest('clearLog', {}))}
            onReload={() => void applyChange(async () => {})}
          />
        </>
      )}
    </Frame>
  )
}
