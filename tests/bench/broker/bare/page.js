// The page's end of the port: `bare(message)` resolves to what came back.
{
  const { port1, port2 } = new MessageChannel()
  const waiting = new Map()
  let last = 0
  port1.onmessage = ({ data: { id, answer } }) => {
    waiting.get(id)(answer)
    waiting.delete(id)
  }
  window.bare = (message) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve)
      port1.postMessage({ id: last, message })
    })
  const offer = () => dispatchEvent(new MessageEvent('bare:port', { ports: [port2] }))
  addEventListener('bare:ready', offer, { once: true })
  offer()
}
