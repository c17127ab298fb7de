// Sends each message back: the extension without any work. A message with a `url` opens a window there first, and
// is answered when the window has been redirected to the redirect URI. With `isWaiting` the window opens at a picture of
// the extension, gets a rule of the browser, and goes on from there, as a window has to of which nobody knows the number
// before: in Firefox it is a tab, and goes on when the picture is shown, since an earlier navigation is lost. A message
// with a `resource` is answered with the body of that resource.
let onRedirect = () => {}

chrome.webRequest.onBeforeRequest.addListener(() => onRedirect(), {
  urls: ['http://127.0.0.2/redirect-uri*'],
  types: ['main_frame'],
})

const isFirefox = typeof browser === 'object'

async function openAt(url) {
  const { tabs } = await chrome.windows.create({ url, focused: true, width: 520, height: 760 })
  return tabs[0].id
}

async function openTab(url) {
  const { id } = await chrome.tabs.create({ url, active: true })
  return id
}

/** Opens the picture, and navigates from there. */
async function openWaiting(url) {
  const picture = chrome.runtime.getURL('picture.svg')
  const id = await (isFirefox ? openTab(picture) : openAt(picture))
  await chrome.declarativeNetRequest.updateSessionRules({
    removeRuleIds: [1],
    addRules: [
      {
        id: 1,
        action: { type: 'block' },
        condition: {
          urlFilter: '||redirect.invalid^',
          tabIds: [id],
          resourceTypes: ['main_frame'],
        },
      },
    ],
  })
  for (;;) {
    const tab = isFirefox ? await chrome.tabs.get(id) : undefined
    if (!tab || (tab.status === 'complete' && tab.url === picture)) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await chrome.tabs.update(id, { url })
  return id
}

async function openWindow({ url, isWaiting }) {
  const redirected = new Promise((resolve) => {
    onRedirect = resolve
  })
  const [id] = await Promise.all([isWaiting ? openWaiting(url) : openAt(url), redirected])
  // Later: Chromium can end when a window closes in the middle of its first navigation.
  setTimeout(() => chrome.tabs.remove(id), 200)
}

async function readBody({ resource, accessToken }) {
  const headers = { authorization: `Bearer ${accessToken}` }
  return (await fetch(resource, { headers, cache: 'no-store' })).arrayBuffer()
}

chrome.runtime.onConnect.addListener((port) => {
  port.onMessage.addListener(async ({ id, message }) => {
    if (message.url) await openWindow(message)
    port.postMessage({ id, answer: message.resource ? await readBody(message) : message })
  })
})
