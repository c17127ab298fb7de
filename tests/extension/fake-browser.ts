/**
 * As much of a browser as the background's modules need to run in Node. A test imports it before
 * them and mocks `webextension-polyfill` with it. Each file has its own.
 */

Object.assign(globalThis, { __DEVELOPMENT__: true, __TARGET__: 'chromium', __VERSION__: '0.0.0' })

const nothing = async () => {}
const event = () => ({ addListener: () => {}, removeListener: () => {} })

function area() {
  let items: Record<string, unknown> = {}
  return {
    get: async (name: string) => (name in items ? { [name]: structuredClone(items[name]) } : {}),
    async set(more: Record<string, unknown>) {
      // Later than the caller goes on, as in a browser.
      await new Promise((resolve) => setTimeout(resolve))
      items = { ...items, ...structuredClone(more) }
    },
    async remove(name: string) {
      const { [name]: _, ...rest } = items
      items = rest
    },
    async clear() {
      items = {}
    },
  }
}

/** Events that pages heard. */
export const told: { event: string; payload: unknown }[] = []
/** Tabs that the broker closed. */
export const closed: number[] = []
/** When the alarm is set to ring. */
export const alarm: { when: number | undefined } = { when: undefined }
export const page = { id: 1, url: 'https://app.example/' }
export const storage = {
  session: area(),
  local: area(),
  managed: area(),
  onChanged: event(),
}

let windows = 100

export default {
  runtime: {
    id: 'northkey',
    getURL: (path: string) => `chrome-extension://northkey/${path}`,
    onConnect: event(),
    onMessage: event(),
    onStartup: event(),
    onInstalled: event(),
  },
  storage,
  alarms: {
    onAlarm: event(),
    async get() {
      const { when } = alarm
      await new Promise((resolve) => setTimeout(resolve))
      return when === undefined ? undefined : { scheduledTime: when }
    },
    create(_: string, { when }: { when: number }) {
      alarm.when = when
    },
  },
  identity: { getRedirectURL: () => 'https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/' },
  tabs: {
    TAB_ID_NONE: -1,
    onRemoved: event(),
    query: async () => [page],
    get: async (id: number) => ({ id, url: 'about:blank' }),
    create: async () => ({ id: ++windows }),
    update: nothing,
    async remove(id: number) {
      closed.push(id)
    },
    async sendMessage(_: number, message: { event: string; payload: unknown }) {
      told.push(message)
    },
  },
  windows: { create: async () => ({ tabs: [{ id: ++windows }] }) },
  permissions: {
    contains: async () => true,
    remove: nothing,
    onAdded: event(),
    onRemoved: event(),
  },
  scripting: {
    getRegisteredContentScripts: async () => [],
    registerContentScripts: nothing,
    unregisterContentScripts: nothing,
    executeScript: nothing,
  },
  webRequest: { onBeforeRequest: event() },
}
