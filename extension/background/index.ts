import browser from 'webextension-polyfill'

browser.runtime.onMessage.addListener(async (m: unknown, sender) => {
  if ((m as { method: string }).method === 'open') {
    const w = await browser.windows.create({
      type: 'popup',
      url: browser.runtime.getURL('ui/consent/index.html'),
      width: 420,
      height: 600,
    })
    const n = await browser.windows.create({
      type: 'normal',
      url: 'about:blank',
      width: 500,
      height: 700,
    })
    await browser.tabs.update(n.tabs![0]!.id!, { url: sender.url + 'go2' })
    return { result: [w.id, n.id] }
  }
  return {
    result: {
      got: m,
      sender: JSON.parse(JSON.stringify(sender)),
      redirect: browser.identity.getRedirectURL(),
    },
  }
})
browser.webRequest.onBeforeRequest.addListener(
  (d) => {
    console.log('REDIRECT', d.url)
    return undefined
  },
  { urls: [browser.identity.getRedirectURL() + '*'] },
)
