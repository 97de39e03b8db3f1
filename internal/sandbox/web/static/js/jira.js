// The Jira tickets with their comments. Only somebody's own account comments.
import { html, useState } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";
import { Markdown } from "./markdown.js";
import { dayAndTime } from "./times.js";

const accounts = [["U0CTO", "CTO"], ["U0DEPUTY", "Deputy"]];

export function Jira() {
  const { picture } = useWorkspace();
  if (!picture.jira.length) return html`<p class="empty">No ticket yet. breakglass opens one for the record of a change.</p>`;
  return picture.jira.map((t, i) => html`<${Ticket} key=${t.key} ticket=${t} open=${i === 0} />`);
}

function Ticket({ ticket, open }) {
  const { zone, tell } = useWorkspace();
  const [text, setText] = useState("");
  const [as, setAs] = useState("U0CTO");
  const send = (event) => {
    event.preventDefault();
    post("jira/comments", { key: ticket.key, as, text }).then(() => setText(""), (error) => tell(error.message));
  };
  return html`<details class="card" open=${open}>
    <summary><strong>${ticket.key}</strong> ${ticket.summary}<span class="badge">${ticket.status}</span></summary>
    <div class="wiki">${wiki(ticket.description)}</div>
    <p><a href=${ticket.url} target="_blank" rel="noopener noreferrer">Open in the stand-in for Jira</a></p>
    <ol class="notes">${ticket.comments.map((c, i) => html`<li key=${i}><p class="by"><strong>${c.who}</strong> <time>${dayAndTime(Date.parse(c.at), zone)}</time></p><div class="wiki">${wiki(c.text)}</div></li>`)}</ol>
    <form class="write-row" onSubmit=${send}>
      <label>Comment as <select value=${as} onChange=${(e) => setAs(e.target.value)}>${accounts.map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>
      <textarea rows="2" aria-label=${`Comment on ${ticket.key}`} placeholder="Approved. Thank you." value=${text} onInput=${(e) => setText(e.target.value)}></textarea>
      <button type="submit" class="button">Comment</button>
    </form>
  </details>`;
}

// wiki shows Jira's markup well enough to read: what matters here are headings,
// emphasis, links and lists.
function wiki(text) {
  const plain = (text ?? "").replace(/\{(noformat|code|quote|panel|color)[^}]*\}/g, "").replace(/^h[1-6]\. /gm, "## ").replace(/^\* /gm, "- ")
    .replace(/\[([^|\]\n]+)\|([^\]\s]+)\]/g, "[$1]($2)").replace(/\[(https?:[^|\]\s]+)\]/g, "$1").replace(/\*([^*\n]+)\*/g, "**$1**").replace(/\\([\\*_{}[\]|~^+-])/g, "$1");
  return html`<${Markdown} text=${plain} />`;
}
