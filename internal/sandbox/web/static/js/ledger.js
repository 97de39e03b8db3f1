// What breakglass has written down: each change with what it owes and the chain
// of its events.
import { html } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { dayAndTime, untilWords } from "./times.js";

const words = (name) => name.replaceAll("_", " ");

export function Ledger() {
  const { picture } = useWorkspace();
  const { shown, trouble, view } = picture.ledger;
  if (!shown) return html`<p class="empty">There is no ledger to be read here.</p>`;
  const changes = view.changes ?? [];
  return html`${trouble && html`<p class="wrong-count" role="status">${trouble}</p>`}
    ${view.said && html`<p class=${`chain ${view.whole ? "whole" : "torn"}`} role="status"><span aria-hidden="true">${view.whole ? "✓" : "✗"} </span>${view.said}</p>`}
    ${changes.length === 0 && html`<p class="empty">No change has been asked for yet.</p>`}
    ${changes.map((c, i) => html`<${Change} key=${c.number} change=${c} open=${i === 0} />`)}`;
}

function Change({ change, open }) {
  const { name, now, zone } = useWorkspace();
  return html`<details class="card" open=${open}>
    <summary><strong>${change.number}</strong> ${words(change.kind)} by ${name(change.requester)}<span class=${`badge ${change.phase === "active" ? "live" : ""}`}>${change.phase}</span></summary>
    ${change.obligations?.length > 0 && html`<ul class="obligations">${change.obligations.map((o) => html`<${Obligation} key=${o.name + o.due} ...${{ o, name, now }} />`)}</ul>`}
    <ol class="events">${(change.events ?? []).toReversed().map((e) => html`<li key=${e.seq}><span class="seq">${e.seq}</span><span>${words(e.type)}${e.actor && html` <small>by ${name(e.actor)}</small>`}</span><time>${dayAndTime(Date.parse(e.at), zone)}</time></li>`)}</ol>
  </details>`;
}

function Obligation({ o, name, now }) {
  const late = o.state === "owed" && o.due && Date.parse(o.due) < now();
  const clock = o.state !== "owed" ? o.state : !o.due ? "no deadline yet" : late ? `overdue, it was due ${untilWords(Date.parse(o.due) - now())}` : `due ${untilWords(Date.parse(o.due) - now())}`;
  return html`<li class=${late ? "late" : o.state}><span aria-hidden="true">${o.state === "owed" ? (late ? "⚠" : "◷") : "✓"}</span> <strong>${words(o.name)}</strong> ${clock}${o.owner && html` <small>${name(o.owner)}</small>`}</li>`;
}
