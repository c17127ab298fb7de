// Carries a message from the page's port to the worker and back, and nothing else. The way is that of
// the broker's calls: a port to the worker that stays open, and is opened anew after the worker's end.
addEventListener(
  'bare:port',
  ({ ports: [page] }) => {
    let worker
    const open = () => {
      worker = chrome.runtime.connect()
      worker.onMessage.addListener((answered) => page.postMessage(answered))
      worker.onDisconnect.addListener(() => {
        worker = undefined
      })
    }
    page.onmessage = ({ data }) => {
      if (!worker) open()
      worker.postMessage(data)
    }
  },
  { once: true },
)
dispatchEvent(new Event('bare:ready'))
