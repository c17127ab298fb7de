// Forwards messages between the page's port and the worker, on the path of the broker's calls: a port to
// the worker that
// stays open, and that is opened again after the worker has stopped.
addEventListener(
  'bare:port',
  ({ ports: [page] }) => {
    let worker
    const connect = () => {
      worker = chrome.runtime.connect()
      worker.onMessage.addListener((answer) => page.postMessage(answer))
      worker.onDisconnect.addListener(() => {
        worker = undefined
      })
    }
    page.onmessage = ({ data }) => {
      if (!worker) connect()
      worker.postMessage(data)
    }
  },
  { once: true },
)
dispatchEvent(new Event('bare:ready'))
