/**
 * Tests that the proxy of a browser ends when its browser has ended, whatever the browser left. A Chromium that
 * is killed leaves tunnels in which it has sent no request yet.
 *
 * Seen to fail (it lasts 60 s and longer) when `close` in `support/outside.ts` leaves the tunnels to the servers.
 */

import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { startOutside } from './support/outside.ts'

/** Opens a tunnel through the proxy as a browser does. */
async function openTunnel(proxy: string): Promise<Socket> {
  const [host = '', port] = proxy.split(':')
  const socket = connectTcp({ host, port: Number(port), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  socket.write('CONNECT update.example:443 HTTP/1.1\r\nhost: update.example:443\r\n\r\n')
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  return socket
}

const ways: Record<string, (tunnel: Socket) => Promise<unknown>> = {
  'before the handshake': async () => {},
  'in the middle of the handshake': async (tunnel) => {
    // The first bytes of a record that announces 512.
    tunnel.write(Buffer.from([22, 3, 1, 2, 0, 1]))
  },
  'after the handshake': async (tunnel) => {
    const tls = connectTls({ socket: tunnel, rejectUnauthorized: false })
    tls.on('error', () => {})
    await once(tls, 'secureConnect')
  },
}

test.each(Object.keys(ways))(
  'a tunnel that the browser left %s does not keep the proxy open',
  async (way) => {
    const outside = await startOutside()
    const tunnel = await openTunnel(outside.address)
    await ways[way]?.(tunnel)
    await outside.close()
    expect(outside.connections).toEqual(['update.example'])
  },
  10_000,
)
