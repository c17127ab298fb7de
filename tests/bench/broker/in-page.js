// What runs in the measured page: contestants by name, and slices in which they take turns.
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
  const sealed = async (url) => (await request('northbound_fetch', { url })).body
  const thousand = (call) => Promise.all(Array.from({ length: 1_000 }, (_, i) => call(i)))
  const message = { type: 'bare', method: 'northbound_getAccessToken', params: { grantId: 'x' } }

  let setting
  const token = (more) =>
    request('northbound_getAccessToken', { grantId: setting.grantId, ...more })

  let asked = 0

  const contestants = {
    bare: () => bare(message),
    token: () => token(),
    // A question that was not answered before: the broker looks into its records.
    lookUp: () => token({ minValiditySeconds: ++asked / 1_000 }),
    pageSmall: () => pageFetch(setting.small, setting.accessToken),
    sealedSmall: () => sealed(setting.small),
    pageLarge: () => pageFetch(setting.large, setting.accessToken),
    sealedLarge: () => sealed(setting.large),
    thousandBare: () => thousand(() => bare(message)),
    thousandEqual: () => thousand(() => token()),
    thousandDifferent: () => thousand((i) => token({ minValiditySeconds: i / 100 })),
  }

  window.bench = {
    request,
    prepare: (given) => {
      setting = given
      dispatchEvent(new Event('northbound:requestProvider'))
    },
    async time(name) {
      const start = performance.now()
      await contestants[name]()
      return performance.now() - start
    },
    /**
     * Milliseconds of one call, by contestant and slice. Whoever begins a slice is another each time, and
     * the first slices only warm up.
     */
    async slices(names, { slices, calls, pauseMs = 0, warmUp = 1 }) {
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
    /** Fifty callers of one page; resolves to how many got a token. */
    async callers(count, minValiditySeconds) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: count }, () => token({ minValiditySeconds })),
      )
      return outcomes.filter(({ status }) => status === 'fulfilled').length
    },
  }
}
