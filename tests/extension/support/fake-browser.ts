/** As much of the WebExtension API as the background asks for, in memory. Tests look at what was done. */

import type { Alarms, Tabs } from 'webextension-polyfill'

function area() {
  const kept = new Map<string, unknown>()
  return {
    get: async (name: string) => ({ [name]: kept.get(name) }),
    set: async (values: object) => {
      for (const [name, value] of Object.entries(values)) kept.set(name, value)
    },
    remove: async (name: string) => kept.delete(name),
  }
}

/** What was opened, closed and set. */
export const seen = {
  tabs: [] as { id: number; url: string }[],
  closed: [] as number[],
  alarm: undefined as Alarms.Alarm | undefined,
}

let lastTab = 100

function openTab({ url }: { url: string }): Tabs.Tab {
  lastTab += 1
  seen.tabs.push({ id: lastTab, url })
  return { id: lastTab, url, status: 'complete' } as Tabs.Tab
}

const find = (id: number) => seen.tabs.find((tab) => tab.id === id)

export default {
  runtime: { id: 'northkey', getURL: (path: string) => `chrome-extension://northkey/${path}` },
  storage: { session: area(), local: area(), managed: area(), onChanged: { addListener() {} } },
  alarms: {
    get: async () => seen.alarm,
    create: (name: string, { when }: { when: number }) => {
      seen.alarm = { name, scheduledTime: when }
    },
  },
  identity: { getRedirectURL: () => 'https://northkey.chromiumapp.org/' },
  tabs: {
    TAB_ID_NONE: -1,
    query: async () => seen.tabs.map((tab) => ({ ...tab, status: 'complete' })),
    get: async (id: number) => {
      const tab = find(id)
      if (!tab) throw new Error('no such tab')
      return { ...tab, status: 'complete' }
    },
    remove: async (id: number) => {
      seen.closed.push(id)
      seen.tabs = seen.tabs.filter((tab) => tab.id !== id)
    },
    update: async (id: number, { url }: { url: string }) => {
      const tab = find(id)
      if (!tab) throw new Error('no such tab')
      tab.url = url
    },
    sendMessage: async () => undefined,
  },
  windows: { create: async (options: { url: string }) => ({ tabs: [openTab(options)] }) },
  permissions: { contains: async () => true },
}
