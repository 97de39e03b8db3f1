// Slack's markup as elements: emphasis, code, quotes, links, mentions, dates in
// the reader's time zone. Everything else is text.
import { html } from "./html.js";
import { slackDate } from "./times.js";
import { emoji } from "./emoji.js";

const unescape = (s) => s.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

// Link leads out of the page. Only addresses that cannot run anything do.
export function Link({ url, children }) {
  return /^(https?:|mailto:)/i.test(url) ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${children}</a>` : html`<span>${children}</span>`;
}

const mention = (name) => html`<span class="mention">${name}</span>`;

// angled renders what stands between angle brackets.
function angled(inside, reader) {
  const bar = inside.indexOf("|");
  const what = bar < 0 ? inside : inside.slice(0, bar), label = bar < 0 ? "" : unescape(inside.slice(bar + 1));
  if (what.startsWith("@")) return mention("@" + reader.user(what.slice(1)));
  if (what.startsWith("#")) return mention("#" + reader.channel(what.slice(1)));
  if (what.startsWith("!subteam^")) return mention("@" + reader.group(what.slice(9)));
  if (what.startsWith("!date^")) {
    const [, unix, tokens, url] = what.split("^");
    const shown = tokens && Number(unix) ? slackDate(Number(unix), tokens, reader.zone, reader.now) : label;
    return url ? html`<${Link} url=${url}>${shown}<//>` : html`<time>${shown}</time>`;
  }
  if (what.startsWith("!")) return mention("@" + what.slice(1));
  const url = unescape(what);
  return html`<${Link} url=${url}>${label || url}<//>`;
}

// Code and brackets are taken out first and stand as one private character each,
// so that emphasis may reach around them but never into them.
const firstMark = 0xe000;
const opaque = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>/g;
const styled = /(^|[\s([>])([*_~])(\S(?:[^*~\n]*?\S)?)\2(?=$|[\s).,:;!?\]<])/;
const tags = { "*": "strong", _: "em", "~": "s" };

function inline(text, taken) {
  const hit = styled.exec(text);
  if (hit) {
    const [all, before, mark, inner] = hit;
    const tag = tags[mark];
    return [...inline(text.slice(0, hit.index) + before, taken), html`<${tag}>${inline(inner, taken)}<//>`, ...inline(text.slice(hit.index + all.length), taken)];
  }
  return text.split(/([\ue000-\uf8ff])/).map((part) => taken[part.charCodeAt(0) - firstMark] ?? emoji(unescape(part)));
}

export function mrkdwn(text, reader) {
  const taken = [];
  const safe = (text ?? "").replace(/[\ue000-\uf8ff]/g, "").replace(opaque, (_, block, code, inside) => {
    taken.push(block !== undefined ? html`<pre>${unescape(block.replace(/^\n|\n$/g, ""))}</pre>`
      : code !== undefined ? html`<code>${unescape(code)}</code>` : angled(inside, reader));
    return String.fromCharCode(firstMark + taken.length - 1);
  });
  const out = [];
  let quote = [];
  const close = () => { if (quote.length) out.push(html`<blockquote>${quote}</blockquote>`); quote = []; };
  for (const line of safe.split("\n")) {
    const quoted = /^(&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      quote.push(html`<div>${inline(quoted[2], taken)}</div>`);
      continue;
    }
    if (out.length && !quote.length) out.push("\n");
    close();
    out.push(...inline(line, taken));
  }
  close();
  return out;
}
