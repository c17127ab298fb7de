/** Undoes what was done, last first, once; one failure does not keep the rest from being undone. */

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
