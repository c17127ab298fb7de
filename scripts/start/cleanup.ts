/** Runs cleanup steps once, in reverse order of their registration. A step that fails does not prevent the next. */

export class Cleanup {
  #steps: (() => Promise<unknown>)[] = []

  addStep(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  async runAll(): Promise<void> {
    const steps = this.#steps.reverse()
    this.#steps = []
    for (const step of steps) await step().catch(() => {})
  }
}
