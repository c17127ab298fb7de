// The empty extension: what comes goes back.
chrome.runtime.onMessage.addListener((message, _sender, reply) => {
  reply(message)
})
