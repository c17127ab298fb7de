// Runs in the measured page: defines the contestants by name, and measures them in slices in which they
// take turns.
{
  let broker
  addEventListener('northbound:announceProvider', ({ detail }) => {
    broker = detail.provider
  })
  const request = (method, params) => broker.request({ method, params })
  const pageFetch = async (url, accessToken) => {
    const headers = { authorization: `Bearer ${accessToken}` }
    return (await fetch(url, { headers, cache: 'no-store' })).arrayBuffer()
  }
  let finding
  const client = () => {
    finding ??= northkeyPage.findBroker()
    return finding
  }
  const brokerFetch = async (url) => (await request('northbound_fetch', { url })).body
  const runThousand = (call) => Promise.all(Array.from({ length: 1_000 }, (_, i) => call(i)))
  const message = { type: 'bare', method: 'northbound_getAccessToken', params: { grantId: 'x' } }

  let setting
  const requestToken = (more) =>
    request('northbound_getAccessToken', { grantId: setting.grantId, ...more })

  let lookUps = 0

  const contestants = {
    bare: () => bare(message),
    window: () => bare({ url: setting.authorize }),
    waitingWindow: () => bare({ url: setting.authorize, isWaiting: true }),
    token: () => requestToken(),
    // Each call has other parameters, so that the broker reads its records and not its cache.
    lookUp: () => requestToken({ minValiditySeconds: ++lookUps / 1_000 }),
    pageSmall: () => pageFetch(setting.small, setting.accessToken),
    brokerSmall: () => brokerFetch(setting.small),
    pageLarge: () => pageFetch(setting.large, setting.accessToken),
    brokerLarge: () => brokerFetch(setting.large),
    bareLarge: () => bare({ resource: setting.large, accessToken: setting.accessToken }),
    // As an application uses it: to the last byte of the response.
    clientLarge: async () => (await (await client()).fetch(setting.large)).arrayBuffer(),
    thousandBare: () => runThousand(() => bare(message)),
    thousandEqual: () => runThousand(() => requestToken()),
    thousandDifferent: () => runThousand((i) => requestToken({ minValiditySeconds: i / 100 })),
  }

  window.bench = {
    request,
    prepare: (newSetting) => {
      setting = newSetting
      dispatchEvent(new Event('northbound:requestProvider'))
    },
    async measureCall(name) {
      const start = performance.now()
      await contestants[name]()
      return performance.now() - start
    },
    /** Asks for the grants of the page, as an application does at its start. */
    async start() {
      dispatchEvent(new Event('northbound:requestProvider'))
      return request('northbound_getGrants')
    },
    /** Returns the milliseconds from the call to the grant. */
    async measureConnect(params) {
      const start = performance.now()
      await request('northbound_connect', params)
      return performance.now() - start
    },
    /**
     * Returns the milliseconds of one call, by contestant and slice. Each slice begins with another
     * contestant; the first slices are a warm-up.
     */
    async measureSlices(names, { slices, calls, pauseMs = 0, warmUp = 1 }) {
      const times = Object.fromEntries(names.map((name) => [name, []]))
      for (let slice = -warmUp; slice < slices; slice++) {
        for (let turn = 0; turn < names.length; turn++) {
          const name = names[(turn + slice + warmUp) % names.length]
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
          const start = performance.now()
          for (let i = 0; i < calls; i++) await contestants[name]()
          const time = (performance.now() - start) / calls
          if (slice >= 0) times[name].push(time)
        }
      }
      return times
    },
    /** Requests a token for several concurrent callers. Resolves to the number of callers that got it. */
    async countServedCallers(count, minValiditySeconds) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: count }, () => requestToken({ minValiditySeconds })),
      )
      return outcomes.filter(({ status }) => status === 'fulfilled').length
    },
  }
}
