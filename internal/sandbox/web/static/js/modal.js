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
  const submit = async () => {
    if (busy || !view.submit) return;
    setBusy(true);
    const said = await sending.act("submit");
    setBusy(false);
    if (said?.refused) form.current?.querySelector("[aria-invalid=true]")?.focus();
  };
  // Enter submits from a line of text, unless the line itself made use of it.
  const onKeyDown = (event) => {
    if (event.key === "Enter" && !event.defaultPrevented && event.target.matches("input:not([type=radio], [type=checkbox])")) { event.preventDefault(); submit(); }
  };
  return html`<${Dialog} kind="modal" label=${title} onClose=${close}>
    <form ref=${form} onSubmit=${(e) => e.preventDefault()} onKeyDown=${onKeyDown} novalidate>
      <header><h2 id=${title}>${view.title}</h2>${under > 0 && html`<small>on top of ${under} more</small>`}
        <button type="button" class="close" aria-label="Close" onClick=${close}>×</button></header>
      <div class="fields"><${Blocks} blocks=${view.blocks} state=${view.state} errors=${view.errors} /></div>
      ${told}
      <footer>
        <p class="wrong-count" role="status">${wrong ? `${wrong} ${wrong === 1 ? "input needs" : "inputs need"} another look` : ""}</p>
        <button type="button" class="button" onClick=${close}>${view.close || "Cancel"}</button>
        ${view.submit && html`<button type="button" class="button primary" data-submit aria-busy=${busy} onClick=${submit}>${view.submit}</button>`}
      </footer>
    </form>
  <//>`;
}
