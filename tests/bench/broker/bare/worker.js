// Sends each message back: the extension without any work. A message with a `url` opens a window there first, and
// is answered when the window has been redirected to the redirect URI.
let onRedirect = () => {}

chrome.webRequest.onBeforeRequest.addListener(() => onRedirect(), {
  urls: ['http://127.0.0.2/redirect-uri*'],
  types: ['main_frame'],
})

async function openWindow(url) {
  const redirected = new Promise((resolve) => {
    onRedirect = resolve
  })
  const [{ tabs }] = await Promise.all([
    chrome.windows.create({ url, focused: true, width: 520, height: 760 }),
    redirected,
  ])
  // Later: Chromium can end when a window closes in the middle of its first navigation.
  setTimeout(() => chrome.tabs.remove(tabs[0].id), 200)
}

chrome.runtime.onConnect.addListener((port) => {
  port.onMessage.addListener(async ({ id, message }) => {
    if (message.url) await openWindow(message.url)
    port.postMessage({ id, answer: message })
  })
})
