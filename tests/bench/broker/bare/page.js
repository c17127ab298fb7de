// Creates the page's end of the port: `bare(message)` resolves to the answer.
{
  const { port1, port2 } = new MessageChannel()
  const pending = new Map()
  let last = 0
  port1.onmessage = ({ data: { id, answer } }) => {
    pending.get(id)(answer)
    pending.delete(id)
  }
  window.bare = (message) =>
    new Promise((resolve) => {
      pending.set(++last, resolve)
      port1.postMessage({ id: last, message })
    })
  const offer = () => dispatchEvent(new MessageEvent('bare:port', { ports: [port2] }))
  addEventListener('bare:ready', offer, { once: true })
  offer()
}
