// As much of Markdown as incidents' notes and Slack's markdown block use:
// headings, lists, emphasis, code and links. Everything else is text.
import { html } from "./html.js";
import { Link } from "./mrkdwn.js";

const piece = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|(?<![\w*])\*([^*\s][^*]*)\*(?!\w)|(https?:\/\/[^\s)>]+)/g;

function inline(text) {
  const out = [];
  let end = 0;
  for (const hit of text.matchAll(piece)) {
    const [all, code, bold, label, url, slanted, bare] = hit;
    out.push(text.slice(end, hit.index));
    end = hit.index + all.length;
    if (code) out.push(html`<code>${code}</code>`);
    else if (bold) out.push(html`<strong>${bold}</strong>`);
    else if (slanted) out.push(html`<em>${slanted}</em>`);
    else out.push(html`<${Link} url=${url ?? bare}>${label ?? bare}<//>`);
  }
  out.push(text.slice(end));
  return out;
}

export function Markdown({ text }) {
  const out = [];
  let list = [];
  const close = () => { if (list.length) out.push(html`<ul>${list}</ul>`); list = []; };
  for (const line of (text ?? "").split("\n")) {
    const item = /^\s*[-*] (.*)$/.exec(line), heading = /^#{1,6} (.*)$/.exec(line);
    if (item) { list.push(html`<li>${inline(item[1])}</li>`); continue; }
    close();
    if (heading) out.push(html`<p><strong>${inline(heading[1])}</strong></p>`);
    else if (line.trim()) out.push(html`<p>${inline(line)}</p>`);
  }
  close();
  return html`<div class="markdown">${out}</div>`;
}
