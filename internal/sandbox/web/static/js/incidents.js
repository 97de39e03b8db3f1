// The incidents of incident.io with their notes.
import { html, useState } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";
import { Markdown } from "./markdown.js";
import { dayAndTime } from "./times.js";

export function Incidents() {
  const { picture, zone, tell } = useWorkspace();
  const { incidents, statuses, severities } = picture.incidents;
  const [name, setName] = useState("");
  const [severity, setSeverity] = useState("Major");
  const send = (event) => {
    event.preventDefault();
    post("incidents", { name, severity }).then(() => setName(""), (error) => tell(error.message));
  };
  const move = (id, status) => post("incidents/status", { id, status }).catch((error) => tell(error.message));
  return html`<form class="write-row" onSubmit=${send}>
      <input type="text" aria-label="Name of a new incident" placeholder="The queue is stuck" value=${name} onInput=${(e) => setName(e.target.value)} />
      <select aria-label="Severity" value=${severity} onChange=${(e) => setSeverity(e.target.value)}>${severities.map((s) => html`<option key=${s}>${s}</option>`)}</select>
      <button type="submit" class="button">Open an incident</button>
    </form>
    ${incidents.length === 0 && html`<p class="empty">No incident is open.</p>`}
    ${incidents.map((i, n) => html`<details class="card" key=${i.id} open=${n === 0}>
      <summary><strong>${i.reference}</strong> ${i.name}<span class="badge">${i.severity}</span></summary>
      <p><label>Status <select value=${i.status} onChange=${(e) => move(i.id, e.target.value)}>${statuses.map((s) => html`<option key=${s}>${s}</option>`)}</select></label></p>
      ${i.notes.length === 0 && html`<p class="empty">No notes yet.</p>`}
      <ol class="notes">${i.notes.map((note, k) => html`<li key=${k}><p class="by"><strong>${note.title}</strong> <time>${dayAndTime(Date.parse(note.at), zone)}</time></p><${Markdown} text=${note.text} /></li>`)}</ol>
    </details>`)}`;
}
