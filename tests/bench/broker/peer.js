// Runs in the page of the closest peer, whose service worker keeps the token and adds it to calls of the API.
import { OidcClient } from '@axa-fr/oidc-client'

const { authority, api } = window.setting
const client = OidcClient.getOrCreate()({
  client_id: 'bench',
  redirect_uri: `${location.origin}/callback`,
  scope: 'openid offline_access',
  authority,
  service_worker_relative_url: '/OidcServiceWorker.js',
  service_worker_only: true,
  service_worker_activate: () => true,
})
const peerFetch = client.fetchWithTokens(fetch)
/** Milliseconds on a clock that all documents share. */
const readClock = () => performance.timeOrigin + performance.now()

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
  /** Signs in. The page leaves; the page of the callback has the time. */
  signIn() {
    sessionStorage.start = readClock()
    void client.loginAsync('/')
  },
}

if (location.pathname === '/first') document.title = 'signed out'
else if (location.pathname === '/callback') {
  await client.loginCallbackAsync()
  window.peer.signInMs = readClock() - Number(sessionStorage.start)
  document.title = 'ready'
} else {
  await client.tryKeepExistingSessionAsync()
  if (client.tokens) document.title = 'ready'
  else await client.loginAsync('/')
}
