// The merge requests of GitLab and the pull requests of GitHub: approve, merge
// and label them as anybody.
import { html, useState } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";

export function Forges() {
  const { picture } = useWorkspace();
  const [as, setAs] = useState("colleague");
  const { mergeRequests, logins, labels } = picture.forges;
  return html`<p class="write-row"><label>Act as <select value=${as} onChange=${(e) => setAs(e.target.value)}>${logins.map((l) => html`<option key=${l}>${l}</option>`)}</select></label></p>
    ${mergeRequests.map((m) => html`<${MergeRequest} key=${m.forge + m.reference} m=${m} as=${as} labels=${labels} />`)}`;
}

function MergeRequest({ m, as, labels }) {
  const { tell } = useWorkspace();
  const [note, setNote] = useState("");
  const act = (what, text, who = as) => post("forges", { forge: m.forge, project: m.project, number: m.number, as: who, act: what, text }).catch((error) => { tell(error.message); throw error; });
  const press = (what, text, who) => act(what, text, who).catch(() => {});
  const send = (event) => { event.preventDefault(); act("note", note).then(() => setNote(""), () => {}); };
  return html`<details class="card" data-mr=${m.reference}>
    <summary><strong>${m.reference}</strong> ${m.title}<span class="badge">${m.state}</span></summary>
    <p>${m.forge}, by ${m.author} · <a href=${m.url} target="_blank" rel="noopener noreferrer">Address</a></p>
    <p>${m.approved.length ? html`Approved by ${m.approved.map((who) => html`<button type="button" class="button" key=${who} aria-label=${`Take back the approval of ${who}`} onClick=${() => press("unapprove", "", who)}>${who} ×</button> `)}` : "Nobody has approved it."}</p>
    <p class="write-row">
      <button type="button" class="button" onClick=${() => press("approve")}>Approve as ${as}</button>
      ${m.state === "open" && html`<button type="button" class="button" onClick=${() => press("merge")}>Merge</button>`}
    </p>
    <div>${[...new Set([...labels, ...m.labels])].map((l) => html`<label class="switch" key=${l}><input type="checkbox" checked=${m.labels.includes(l)} onChange=${(e) => press(e.target.checked ? "label" : "unlabel", l)} /><span>${l}</span></label>`)}</div>
    ${m.noted.length > 0 && html`<ol class="notes">${m.noted.map((n, i) => html`<li key=${i}>${n}</li>`)}</ol>`}
    ${m.forge === "GitLab" && html`<form class="write-row" onSubmit=${send}>
      <input type="text" aria-label=${`Note on ${m.reference}`} placeholder="Reviewed, all well" value=${note} onInput=${(e) => setNote(e.target.value)} />
      <button type="submit" class="button">Note</button>
    </form>`}
  </details>`;
}
