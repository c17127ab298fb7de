/** Holds the active faults, and selects the one that a request triggers. */

import { randomUUID } from 'node:crypto'
import type { Interceptor } from '../http/serve.ts'
import { applyFault } from './actions.ts'
import type { FaultRule } from './rule.ts'

export interface ActiveFault {
  id: string
  rule: FaultRule
  /** Number of requests that matched the rule, and number of those that the fault was applied to. */
  matched: number
  applied: number
}

interface OffSwitch {
  switchedOff: Promise<void>
  switchOff: () => void
}

function createOffSwitch(): OffSwitch {
  let switchOff = () => {}
  const switchedOff = new Promise<void>((resolve) => {
    switchOff = resolve
  })
  return { switchedOff, switchOff }
}

export class Faults {
  readonly #active = new Map<string, ActiveFault>()
  readonly #switches = new Map<string, OffSwitch>()
  /** Set after the issuers have started. */
  rotateKeys: (path: string) => Promise<void> = async () => {}

  get active(): readonly ActiveFault[] {
    return [...this.#active.values()]
  }

  /** Switches a fault on and returns its identifier. Older faults take precedence. */
  add(rule: FaultRule): string {
    const id = randomUUID()
    this.#active.set(id, { id, rule, matched: 0, applied: 0 })
    this.#switches.set(id, createOffSwitch())
    return id
  }

  find(id: string): ActiveFault | undefined {
    return this.#active.get(id)
  }

  /** Switches a fault off: hanging requests lose their connection, held requests continue. */
  remove(id: string): boolean {
    this.#switches.get(id)?.switchOff()
    this.#switches.delete(id)
    return this.#active.delete(id)
  }

  clear(): void {
    for (const id of [...this.#active.keys()]) this.remove(id)
  }

  readonly intercept: Interceptor = async (server, request, answer, entry, next) => {
    const fault = this.#takeDueFault(server, entry.method, entry.path)
    if (!fault) return next()
    entry.fault = fault.rule.action.type
    const switchedOff = this.#switches.get(fault.id)?.switchedOff ?? Promise.resolve()
    const { rotateKeys } = this
    await applyFault(fault.rule.action, { request, answer, next, switchedOff, rotateKeys })
  }

  #takeDueFault(server: string, method: string, path: string): ActiveFault | undefined {
    let due: ActiveFault | undefined
    for (const fault of this.#active.values()) {
      if (!matchesRule(fault.rule, server, method, path)) continue
      fault.matched += 1
      if (due === undefined && isDue(fault)) due = fault
    }
    if (due) due.applied += 1
    return due
  }
}

function isDue({ rule, matched, applied }: ActiveFault): boolean {
  if (rule.times !== undefined && applied >= rule.times) return false
  if (rule.nth !== undefined && matched !== rule.nth) return false
  return rule.every === undefined || matched % rule.every === 0
}

function matchesRule(rule: FaultRule, server: string, method: string, path: string): boolean {
  if (rule.server !== undefined && rule.server !== server) return false
  if (rule.method !== undefined && rule.method !== method) return false
  return rule.path === undefined || compilePathPattern(rule.path).test(path)
}

function compilePathPattern(path: string): RegExp {
  const parts = path.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
