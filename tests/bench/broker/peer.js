// Runs in the page of the closest peer, whose service worker keeps the token and adds it to calls of the API.
import { OidcClient } from '@axa-fr/oidc-client'

const { authority, api } = window.setting
const client = OidcClient.getOrCreate()({
  client_id: 'bench',
  redirect_uri: `${location.origin}/callback`,
  scope: 'openid offline_access',
  authority,
  authority_configuration: {
    issuer: authority,
    authorization_endpoint: `${authority}/authorize`,
    token_endpoint: `${authority}/token`,
    userinfo_endpoint: `${authority}/userinfo`,
    end_session_endpoint: `${authority}/end`,
    revocation_endpoint: `${authority}/revoke`,
  },
  service_worker_relative_url: '/OidcServiceWorker.js',
  service_worker_only: true,
  service_worker_activate: () => true,
})
const peerFetch = client.fetchWithTokens(fetch)

window.peer = {
  /** Returns the milliseconds of one call, by slice. */
  async measureSlices(path, { slices, calls }) {
    const times = []
    for (let slice = 0; slice < slices; slice++) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) {
        const response = await peerFetch(`${api}/${path}`, { cache: 'no-store' })
        if (!response.ok) throw new Error(`the API answered ${response.status}`)
        await response.arrayBuffer()
      }
      times.push((performance.now() - start) / calls)
    }
    return times
  },
}

await client.tryKeepExistingSessionAsync()
if (location.pathname === '/callback') {
  await client.loginCallbackAsync()
  document.title = 'ready'
} else if (client.tokens) document.title = 'ready'
else await client.loginAsync('/')
