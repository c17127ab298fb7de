/** Error that ends the command with a message of one line. */

export class Failure extends Error {}

export function fail(line: string): never {
  throw new Failure(line.replace(/\s+/g, ' '))
}
