/** What ends the command: one clear line. */

export class Failure extends Error {}

export function fail(line: string): never {
  throw new Failure(line.replace(/\s+/g, ' '))
}
