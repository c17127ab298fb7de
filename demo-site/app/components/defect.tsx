/** Shows that the page cannot start, because its own server provided no valid configuration. */

export function Defect({ reason }: { reason: string }) {
  return (
    <main class="defect" data-testid="defect">
      <h1>Skyframe could not start</h1>
      <p>Its configuration is missing or not as it should be: {reason}.</p>
      <p>
        <a href=".">Load the page again</a>
      </p>
    </main>
  )
}
