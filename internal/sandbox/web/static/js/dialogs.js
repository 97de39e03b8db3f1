// Dialogs on the browser's own <dialog>, which keeps the keyboard inside, closes
// with Escape and gives the focus back.
import { html, useLayoutEffect, useRef, useId } from "./html.js";
import { mrkdwn } from "./mrkdwn.js";

// Dialog is open for as long as it is rendered. onClose is asked, not told: what
// closes it is that it is no longer rendered.
export function Dialog({ label, kind, onClose, children }) {
  const ref = useRef();
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    const first = dialog.querySelector("[data-first], .fields input:not([type=hidden]), .fields textarea, .fields select, .fields button");
    (first ?? dialog.querySelector("[data-submit]"))?.focus();
    return () => dialog.close(); // gives the focus back to where it was
  }, []);
  const cancel = (event) => { event.preventDefault(); onClose(); };
  return html`<dialog ref=${ref} class=${`dialog ${kind}`} aria-labelledby=${label} onCancel=${cancel}>${children}</dialog>`;
}

// Confirm asks what a button wants asked before it is pressed.
export function Confirm({ question, reader, onAnswer }) {
  const label = useId();
  const text = question.text?.type === "mrkdwn" ? mrkdwn(question.text.text, reader) : question.text?.text;
  return html`<${Dialog} kind="confirm" label=${label} onClose=${() => onAnswer(false)}>
    <h2 id=${label}>${question.title?.text}</h2>
    <p class="prose">${text}</p>
    <footer>
      <button type="button" class="button" onClick=${() => onAnswer(false)}>${question.deny?.text ?? "Cancel"}</button>
      <button type="button" class=${`button ${question.style === "danger" ? "danger" : "primary"}`} data-first onClick=${() => onAnswer(true)}>${question.confirm?.text ?? "Yes"}</button>
    </footer>
  <//>`;
}
