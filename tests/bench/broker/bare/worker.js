// The empty extension: what comes goes back.
chrome.runtime.onConnect.addListener((port) => {
  port.onMessage.addListener(({ id, message }) => port.postMessage({ id, answer: message }))
})
