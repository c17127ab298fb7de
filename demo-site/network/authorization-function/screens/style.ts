/** Style sheet of the operator's screens. It is served as a file, so that no style is inline. */

export const STYLE_SHEET = `
:root {
  color-scheme: light dark;
  --page: #eef2f8; --glow-a: #d9e6ff; --glow-b: #e9e1ff;
  --card: #ffffff; --line: #d5dce8; --field: #ffffff; --field-line: #8793a8;
  --text: #131a2a; --soft: #4d5a70;
  --brand: #1d4ed8; --brand-strong: #173fb0; --on-brand: #ffffff; --brand-soft: #e8efff;
  --danger: #b3261e; --danger-soft: #fdecea; --ok: #14683f; --ok-soft: #e4f5ec;
  --shadow: 0 1px 2px rgb(19 26 42 / .06), 0 18px 48px -18px rgb(19 26 42 / .25);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0b1020; --glow-a: #14235a; --glow-b: #2a1c52;
    --card: #141b30; --line: #2a3452; --field: #0e1426; --field-line: #6b7a9e;
    --text: #eef2fb; --soft: #a9b5cf;
    --brand: #8fb0ff; --brand-strong: #b3c9ff; --on-brand: #0a1330; --brand-soft: #1b274b;
    --danger: #ffb4ab; --danger-soft: #3b1a1c; --ok: #7fdcaa; --ok-soft: #10301f;
    --shadow: 0 1px 2px rgb(0 0 0 / .4), 0 24px 60px -20px rgb(0 0 0 / .7);
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { height: 100%; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100%; padding: clamp(16px, 5vw, 48px) 16px;
  display: flex; flex-direction: column; align-items: center; justify-content: safe center;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  color: var(--text); background-color: var(--page);
  background-image: radial-gradient(60rem 40rem at 10% -10%, var(--glow-a), transparent 70%),
    radial-gradient(50rem 36rem at 110% 110%, var(--glow-b), transparent 70%);
  background-attachment: fixed; overflow-wrap: anywhere;
}
main {
  width: 100%; max-width: 27rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 20px; box-shadow: var(--shadow); padding: clamp(20px, 6vw, 36px);
}
main.wide { max-width: 44rem; }
.brand { display: flex; align-items: center; gap: 12px; margin: 0 0 24px; }
.brand svg { width: 40px; height: 40px; flex: none; }
.brand strong { display: block; font-size: 1.05rem; line-height: 1.2; }
.brand span { color: var(--soft); font-size: .85rem; }
h1 { font-size: clamp(1.35rem, 5vw, 1.65rem); line-height: 1.2; letter-spacing: -.01em; margin: 0 0 8px; text-wrap: balance; }
h2 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 0 0 16px; }
.lead { color: var(--soft); }
a { color: var(--brand); text-underline-offset: 3px; }
form { margin: 0; }
label, .label { display: block; font-weight: 600; font-size: .92rem; margin: 0 0 6px; }
input[type=text], input[type=tel], input[type=password] {
  width: 100%; min-height: 48px; padding: 10px 14px; margin: 0 0 16px; font: inherit;
  color: var(--text); background: var(--field); border: 1px solid var(--field-line); border-radius: 12px;
}
input[aria-invalid=true] { border-color: var(--danger); }
input.code { font: 600 1.4rem/1.2 ui-monospace, "Cascadia Mono", Menlo, monospace; letter-spacing: .3em; }
button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px; width: 100%; min-height: 48px;
  padding: 10px 18px; font: inherit; font-weight: 650; border-radius: 12px; border: 1px solid transparent;
  background: var(--brand); color: var(--on-brand); cursor: pointer; text-decoration: none;
}
button:hover, .button:hover { background: var(--brand-strong); }
button.quiet, .button.quiet { background: transparent; color: var(--text); border-color: var(--field-line); }
button.quiet:hover, .button.quiet:hover { background: var(--brand-soft); }
button.danger { background: transparent; color: var(--danger); border-color: currentColor; }
button.danger:hover { background: var(--danger-soft); }
button.small { width: auto; min-height: 40px; padding: 6px 14px; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 3px; }
.actions { display: grid; gap: 12px; grid-template-columns: 1fr 1fr; margin-top: 24px; }
.stack { display: grid; gap: 12px; margin-top: 16px; }
@media (max-width: 22.5rem) { .actions { grid-template-columns: 1fr; } }
.note { display: block; border-radius: 12px; padding: 12px 14px; margin: 0 0 16px; font-size: .92rem; background: var(--brand-soft); }
.note.error { background: var(--danger-soft); color: var(--danger); font-weight: 600; }
.note.ok { background: var(--ok-soft); color: var(--ok); font-weight: 600; }
.note code, code { font: .92em ui-monospace, "Cascadia Mono", Menlo, monospace; }
.who { display: flex; gap: 12px; align-items: center; padding: 14px; border: 1px solid var(--line); border-radius: 14px; margin: 16px 0; }
.avatar { flex: none; width: 44px; height: 44px; border-radius: 12px; display: grid; place-items: center; font-weight: 700; font-size: 1.15rem; background: var(--brand); color: var(--on-brand); }
.who strong { display: block; line-height: 1.3; }
.who span { color: var(--soft); font-size: .88rem; }
dl { margin: 0; display: grid; gap: 12px; }
dl > div { border-top: 1px solid var(--line); padding-top: 12px; }
dt { font-size: .82rem; color: var(--soft); }
dd { margin: 2px 0 0; }
ul.plain { list-style: none; padding: 0; margin: 0; display: grid; gap: 12px; }
ul.access { list-style: none; padding: 0; margin: 4px 0 0; display: grid; gap: 8px; }
ul.access li { display: grid; grid-template-columns: 22px 1fr; gap: 8px; }
ul.access svg { width: 20px; height: 20px; margin-top: 2px; color: var(--ok); }
.fine { color: var(--soft); font-size: .84rem; margin: 20px 0 0; }
.or { display: flex; align-items: center; gap: 12px; color: var(--soft); font-size: .85rem; margin: 20px 0 4px; }
.or::before, .or::after { content: ""; height: 1px; background: var(--line); flex: 1; }
details { margin-top: 16px; } summary { cursor: pointer; font-weight: 600; font-size: .92rem; min-height: 32px; }
main.wide form > button { width: auto; min-width: 12rem; max-width: 100%; }
main.wide button.small { min-width: 0; }
footer { text-wrap: balance; width: 100%; max-width: 27rem; color: var(--soft); font-size: .8rem; text-align: center; padding: 16px 8px 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: background-color .12s; } }
@media (forced-colors: active) { main, button, .button, input { border: 1px solid; } }
`
