// What stands beside Slack: AWS always in sight, the rest in tabs.
import { html, useState, useRef } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { kept } from "./kept.js";
import { Access } from "./access.js";
import { Jira } from "./jira.js";
import { Incidents } from "./incidents.js";
import { Forges } from "./forges.js";
import { Outside } from "./outside.js";
import { Ledger } from "./ledger.js";

const tabs = [
  ["jira", "Jira", Jira, (p) => p.jira.length],
  ["incidents", "incident.io", Incidents, (p) => p.incidents.incidents.length],
  ["forges", "GitLab", Forges, () => 0],
  ["ledger", "Ledger", Ledger, () => 0],
  ["outside", "Trouble", Outside, (p) => p.trouble.switches.filter((s) => s.on).length + (p.github.some((c) => c.condition !== "operational") ? 1 : 0)],
];

export function Beside() {
  const { picture } = useWorkspace();
  const [open, setOpen] = useState(kept("tab", "jira"));
  const bar = useRef();
  const show = (id) => { setOpen(id); kept.set("tab", id); };
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.findIndex(([id]) => id === open) + step + tabs.length) % tabs.length][0];
    show(next);
    bar.current.querySelector(`[data-tab=${next}]`).focus();
  };
  const Shown = tabs.find(([id]) => id === open)[2];
  return html`<${Access} />
    <div class="tabs" role="tablist" aria-label="Other systems" ref=${bar} onKeyDown=${onKeyDown}>${tabs.map(([id, label, , count]) => html`<button key=${id} type="button" role="tab" data-tab=${id}
      id=${`tab-${id}`} aria-selected=${id === open} aria-controls="tab-panel" tabindex=${id === open ? 0 : -1} onClick=${() => show(id)}>${label}${count(picture) > 0 && html`<span class="count">${count(picture)}</span>`}</button>`)}</div>
    <div class="panel" role="tabpanel" id="tab-panel" aria-labelledby=${`tab-${open}`} tabindex="0"><${Shown} /></div>`;
}
