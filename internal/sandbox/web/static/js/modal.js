// The form on top of somebody's screen.
import { html, useEffect, useId, useRef, useState } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { Dialog } from "./dialogs.js";
import { Blocks } from "./blocks.js";

export function Modal({ view, under, told }) {
  const { sending } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const title = useId(), form = useRef();
  const wrong = Object.keys(view.errors ?? {}).length;

  // What is wrong is shown at its input; the first of them gets the focus.
  useEffect(() => { if (wrong) form.current?.querySelector("[aria-invalid=true]")?.focus(); }, [JSON.stringify(view.errors)]);

  const close = () => sending.act("close");
  const submit = async (event) => {
    event.preventDefault();
    if (busy || !view.submit) return;
    setBusy(true);
    const said = await sending.act("submit");
    setBusy(false);
    if (said?.refused) form.current?.querySelector("[aria-invalid=true]")?.focus();
  };
  return html`<${Dialog} kind="modal" label=${title} onClose=${close}>
    <form ref=${form} onSubmit=${submit} novalidate>
      <header><h2 id=${title}>${view.title}</h2>${under > 0 && html`<small>on top of ${under} more</small>`}
        <button type="button" class="close" aria-label="Close" onClick=${close}>×</button></header>
      <div class="fields"><${Blocks} blocks=${view.blocks} state=${view.state} errors=${view.errors} /></div>
      ${told}
      <footer>
        <p class="wrong-count" role="status">${wrong ? `${wrong} ${wrong === 1 ? "input needs" : "inputs need"} another look` : ""}</p>
        <button type="button" class="button" onClick=${close}>${view.close || "Cancel"}</button>
        ${view.submit && html`<button type="submit" class="button primary" aria-busy=${busy}>${view.submit}</button>`}
      </footer>
    </form>
  <//>`;
}
