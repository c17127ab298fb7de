// Carries a message from the page's port to the worker and back, and nothing else.
addEventListener(
  'bare:port',
  ({ ports: [port] }) => {
    port.onmessage = async ({ data: { id, message } }) => {
      port.postMessage({ id, answer: await chrome.runtime.sendMessage(message) })
    }
  },
  { once: true },
)
dispatchEvent(new Event('bare:ready'))
