// Where one writes: Enter sends, Shift and Enter begin a new line.
import { html, useState, useRef } from "./html.js";
import { useWorkspace } from "./workspace.js";

const hints = [
  ["", "ask for an emergency change"], ["report", "report one that has been made already"], ["list", "what is open"], ["show EC-1", "one change"],
  ["note EC-1 …", "add a line to the record"], ["finish EC-1", "end it"], ["help", "all of it"],
];

export function Composer({ channel, thread, label }) {
  const { sending, picture } = useWorkspace();
  const [text, setText] = useState("");
  const ref = useRef();
  const command = picture.slack.command;
  const offered = !thread && text.startsWith("/") ? hints.map(([word, says]) => [`${command} ${word}`.trim(), says]).filter(([c]) => c.startsWith(text.trim())) : [];
  const send = () => {
    const said = text.trim();
    if (!said) return;
    setText("");
    sending.act("say", { channel, thread: thread ?? "", text: said });
  };
  const take = (whole) => { setText(whole.replace(" …", " ")); ref.current.focus(); };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); }
    if (event.key === "Tab" && !event.shiftKey && offered.length && offered[0][0] !== text.trim()) { event.preventDefault(); take(offered[0][0]); }
  };
  return html`<form class="composer" onSubmit=${(e) => { e.preventDefault(); send(); }}>
    ${offered.length > 0 && html`<ul class="hints" aria-label="Commands">${offered.map(([whole, says]) => html`<li key=${whole}>
      <button type="button" onClick=${() => take(whole)}><code>${whole}</code><small>${says}</small></button></li>`)}</ul>`}
    <div class="write">
      <textarea ref=${ref} rows=${Math.min(6, text.split("\n").length)} aria-label=${label} placeholder=${thread ? "Reply …" : `Type ${command}, or a message`}
        value=${text} onInput=${(e) => setText(e.target.value.replace(/^\n+/, ""))} onKeyDown=${onKeyDown}></textarea>
      <button type="submit" class="send" aria-label="Send" disabled=${!text.trim()}>➤</button>
    </div>
  </form>`;
}
