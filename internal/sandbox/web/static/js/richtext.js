// Slack's rich text: sections, lists, quotes and code, with styled pieces.
import { html } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { Link } from "./mrkdwn.js";
import { Unknown } from "./elements.js";
import { slackDate } from "./times.js";
import { emoji } from "./emoji.js";

export function RichText({ parts }) {
  return parts.map((part, i) => html`<${Part} key=${i} part=${part} />`);
}

function Part({ part }) {
  const inside = () => part.elements.map((e, i) => html`<${Piece} key=${i} piece=${e} />`);
  switch (part.type) {
    case "rich_text_section": return html`<div class="prose">${inside()}</div>`;
    case "rich_text_quote": return html`<blockquote class="prose">${inside()}</blockquote>`;
    case "rich_text_preformatted": return html`<pre>${inside()}</pre>`;
    case "rich_text_list": {
      const tag = part.style === "ordered" ? "ol" : "ul";
      return html`<${tag}>${part.elements.map((e, i) => html`<li key=${i}><${Part} part=${e} /></li>`)}<//>`;
    }
  }
  return html`<${Unknown} what="rich text" type=${part.type} />`;
}

function Piece({ piece }) {
  const { reader } = useWorkspace();
  switch (piece.type) {
    case "text": return styled(piece.text, piece.style);
    case "link": return html`<${Link} url=${piece.url}>${styled(piece.text || piece.url, piece.style)}<//>`;
    case "emoji": return emoji(`:${piece.name}:`);
    case "user": return html`<span class="mention">@${reader.user(piece.user_id)}</span>`;
    case "usergroup": return html`<span class="mention">@${reader.group(piece.usergroup_id)}</span>`;
    case "channel": return html`<span class="mention">#${reader.channel(piece.channel_id)}</span>`;
    case "broadcast": return html`<span class="mention">@${piece.range}</span>`;
    case "date": return html`<time>${slackDate(piece.timestamp, piece.format, reader.zone, reader.now)}</time>`;
  }
  return html`<${Unknown} what="rich text" type=${piece.type} />`;
}

function styled(text, style = {}) {
  let out = text;
  if (style.code) out = html`<code>${out}</code>`;
  if (style.bold) out = html`<strong>${out}</strong>`;
  if (style.italic) out = html`<em>${out}</em>`;
  if (style.strike) out = html`<s>${out}</s>`;
  return out;
}
