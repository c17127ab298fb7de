/** The page cannot start: its own server gave it nothing to work with. */

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
